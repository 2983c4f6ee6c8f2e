import { readFileSync } from 'node:fs'
import { messageOf } from '../../domain/errors.ts'
import { optionKey, parseIni, type IniValues } from './ini.ts'
import { FILTERS, isFilterName, type FilterName } from '../../domain/scheduling/filters/index.ts'
import { OPTIONS, type Config, type Option, type OptionName } from './options.ts'

/** One line for the person who starts the service; nothing of a stack. */
export class ConfigError extends Error {}

export interface ConfigSources {
  /** Later files win. */
  readonly files: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** From the command line; they win over everything. */
  readonly overrides: Readonly<Partial<Record<OptionName, string>>>
}

export function loadConfig(sources: ConfigSources): Config {
  const written: IniValues = new Map()
  for (const file of sources.files) for (const [key, values] of readFile(file)) written.set(key, values)
  for (const { group, name } of Object.values<Option<unknown>>(OPTIONS)) {
    const value = sources.environment[`OS_${group.toUpperCase()}__${name.toUpperCase()}`]
    if (value !== undefined) written.set(optionKey(group, name), [value])
  }
  for (const [key, value] of Object.entries(sources.overrides)) {
    const { group, name } = OPTIONS[key as OptionName]
    if (value !== undefined) written.set(optionKey(group, name), [value])
  }
  const config: Record<string, unknown> = {}
  for (const [key, option] of Object.entries<Option<unknown>>(OPTIONS)) config[key] = valueOf(option, written)
  checkTogether(config as Config)
  return Object.freeze(config) as Config
}

function readFile(file: string): IniValues {
  try {
    return parseIni(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new ConfigError(`${file}: ${messageOf(error)}`)
  }
}

function valueOf(option: Option<unknown>, written: IniValues): unknown {
  const text = substituted(option, written, [])
  try {
    return option.parse(text)
  } catch (error) {
    const shown = option.secret === true ? '[redacted]' : text
    throw new ConfigError(`option ${option.name} in [${option.group}] is '${shown}': ${messageOf(error)}`)
  }
}

/** `$name` is looked up in the option's own group, then in [DEFAULT]; `$$` is a dollar sign. */
function substituted(option: Option<unknown>, written: IniValues, path: readonly string[]): string {
  const key = optionKey(option.group, option.name)
  if (path.includes(key)) throw new ConfigError(`option ${option.name} in [${option.group}] refers to itself`)
  const values = written.get(key)
  const raw = (option.multiple === true ? values?.join('\n') : values?.at(-1)) ?? option.fallback ?? ''
  return raw.replaceAll(/\$\$|\$\{([\w.-]+)\}|\$(\w+)/g, (whole: string, braced?: string, plain?: string) => {
    if (whole === '$$') return '$'
    const name = braced ?? plain ?? ''
    const keys = name.includes('.') ? [name] : [optionKey(option.group, name), optionKey('DEFAULT', name)]
    for (const candidate of keys) {
      const other = Object.values<Option<unknown>>(OPTIONS).find((o) => optionKey(o.group, o.name) === candidate)
      if (other !== undefined) return substituted(other, written, [...path, key])
      const value = written.get(candidate)?.at(-1)
      if (value !== undefined) return value
    }
    throw new ConfigError(`option ${option.name} in [${option.group}] refers to ${whole}, which is not set`)
  })
}

function checkTogether(config: Config): void {
  const ranges = [
    ['memory', config.minimumMemory, config.defaultMemory, config.maximumMemory],
    ['disk', config.minimumDisk, config.defaultDisk, config.maximumDisk],
    ['cpu', config.minimumCpus, config.defaultCpu, config.maximumCpus],
  ] as const
  for (const [what, minimum, usual, maximum] of ranges) {
    if (minimum > maximum) throw new ConfigError(`the minimum of ${what} (${minimum}) is over its maximum (${maximum})`)
    if (usual !== 0 && (usual < minimum || usual > maximum)) {
      throw new ConfigError(`default_${what} (${usual}) is not between ${minimum} and ${maximum}`)
    }
  }
  const available = availableFilters(config.availableFilters)
  const missing = config.enabledFilters.find((name) => !available.includes(name))
  if (missing !== undefined) {
    throw new ConfigError(`option enabled_filters in [scheduler] names ${missing}, which available_filters leaves out`)
  }
  if (!config.dockerApiUrl.startsWith('unix://')) {
    throw new ConfigError(`option api_url in [docker] is '${config.dockerApiUrl}': only unix:// is supported`)
  }
}

/** Values of available_filters that mean nothing here. */
export function strangeFilters({ availableFilters: written }: Config): string[] {
  return written.filter((path) => lastPart(path) !== ALL_FILTERS && !isFilterName(lastPart(path)))
}

const ALL_FILTERS = 'all_filters'
const lastPart = (path: string): string => path.split('.').at(-1) ?? ''

/** Written as upstream writes them: all of them by one name, or classes. A class that is none of ours adds nothing. */
function availableFilters(written: readonly string[]): FilterName[] {
  const names = written.map(lastPart)
  const known = names.filter(isFilterName)
  return names.includes(ALL_FILTERS) || known.length === 0 ? Object.keys(FILTERS).filter(isFilterName) : known
}
