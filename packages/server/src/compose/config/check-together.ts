/** What options must be to each other. */
import { FILTERS, isFilterName, type FilterName } from '../../domain/scheduling/filters/index.ts'
import { checkLogins, imageDriversOf } from './check-logins.ts'
import { ALL_FILTERS, lastPart } from './findings.ts'
import type { Config } from './options.ts'

/** A host's name is a column of the database, and part of messages to the user. */
const LONGEST_HOST = 255

/** One line for each mistake. */
export function checkTogether(config: Config): string[] {
  return [
    ...checkRanges(config),
    ...checkFilters(config),
    ...checkHost(config),
    ...checkEngine(config),
    ...checkTls(config),
    ...checkLogins(config),
    ...checkImages(config),
  ]
}

function checkRanges(config: Config): string[] {
  const ranges = [
    ['memory', config.minimumMemory, config.defaultMemory, config.maximumMemory],
    ['disk', config.minimumDisk, config.defaultDisk, config.maximumDisk],
    ['cpu', config.minimumCpus, config.defaultCpu, config.maximumCpus],
  ] as const
  return ranges.flatMap(([what, minimum, usual, maximum]) => {
    if (minimum > maximum) return [`the minimum of ${what} (${minimum}) is over its maximum (${maximum})`]
    if (usual === 0 || (usual >= minimum && usual <= maximum)) return []
    return [`default_${what} (${usual}) is not between ${minimum} and ${maximum}`]
  })
}

function checkFilters(config: Config): string[] {
  const available = availableFilters(config.availableFilters)
  const missing = config.enabledFilters.find((name) => !available.includes(name))
  if (missing === undefined) return []
  return [`option enabled_filters in [scheduler] names ${missing}, which available_filters leaves out`]
}

/** Written as upstream writes them: all of them by one name, or classes. A class that is none of ours adds nothing. */
function availableFilters(written: readonly string[]): FilterName[] {
  const names = written.map(lastPart)
  const known = names.filter(isFilterName)
  return names.includes(ALL_FILTERS) || known.length === 0 ? Object.keys(FILTERS).filter(isFilterName) : known
}

function checkTls(config: Config): string[] {
  const { enableSslApi, sslCertFile, sslKeyFile, wsproxySslOnly, wsproxyCert } = config
  return [
    ...(enableSslApi && (sslCertFile === null || sslKeyFile === null)
      ? ['option enable_ssl_api in [api] needs cert_file and key_file in [ssl]']
      : []),
    ...(wsproxySslOnly && wsproxyCert === null ? ['option ssl_only in [websocket_proxy] needs cert'] : []),
  ]
}

function checkImages(config: Config): string[] {
  const available = imageDriversOf(config)
  const { defaultImageDriver, sandboxImageDriver, sandboxImage } = config
  const asked = { default_image_driver: defaultImageDriver, sandbox_image_driver: sandboxImageDriver }
  return Object.entries(asked)
    .filter(
      ([name, driver]) => !available.includes(driver) && (name !== 'sandbox_image_driver' || sandboxImage !== null),
    )
    .map(([name, driver]) => {
      const why = config.imageDriverList.includes(driver)
        ? 'needs auth_url in [keystone_auth]'
        : 'is not in image_driver_list'
      return `option ${name} in [DEFAULT] is ${driver}, which ${why}`
    })
}

function checkHost({ host }: Config): string[] {
  if (host.length <= LONGEST_HOST) return []
  return [`option host in [DEFAULT] has ${host.length} characters, more than ${LONGEST_HOST}`]
}

function checkEngine({ dockerApiUrl }: Config): string[] {
  if (dockerApiUrl.startsWith('unix://')) return []
  return [`option api_url in [docker] is '${dockerApiUrl}': only unix:// is supported`]
}
