import { MAX_MINOR, MIN_MINOR } from '@zund/contract/api/versions.ts'
import { ApiError, NotAcceptable } from '../../domain/errors.ts'

export { MAX_MINOR, MIN_MINOR }

export class UnsupportedMicroversion extends ApiError {
  constructor(message: string) {
    super(406, 'microversion-unsupported', message)
  }
}

/** Minor part of the asked version. The header is `container X.Y` or `container latest`; without it 1.1. */
export function parseMicroversion(header: string | undefined): number {
  if (header === undefined || header.trim() === '') return MIN_MINOR
  const words = header.trim().split(/\s+/)
  const [service, version] = words
  if (words.length !== 2 || service === undefined || version === undefined) {
    throw new NotAcceptable(`OpenStack-API-Version must be 'container X.Y', not '${header}'.`)
  }
  if (service.toLowerCase() !== 'container') {
    throw new NotAcceptable(`OpenStack-API-Version is for service '${service}', this one is 'container'.`)
  }
  if (version.toLowerCase() === 'latest') return MAX_MINOR
  const match = /^(\d{1,9})\.(\d{1,9})$/.exec(version)
  if (match === null) throw new NotAcceptable(`OpenStack-API-Version '${version}' is not of the form X.Y.`)
  const minor = Number(match[2])
  if (Number(match[1]) !== 1 || minor < MIN_MINOR || minor > MAX_MINOR) {
    throw new UnsupportedMicroversion(
      `Version ${version} is not supported by the API. Minimum is 1.${MIN_MINOR} and maximum is 1.${MAX_MINOR}.`,
    )
  }
  return minor
}

/** `minor` undefined: the version was not understood as far as a number. */
export function versionHeaders(minor: number): Record<string, string> {
  return {
    'OpenStack-API-Version': `container 1.${minor}`,
    'OpenStack-API-Minimum-Version': `container 1.${MIN_MINOR}`,
    'OpenStack-API-Maximum-Version': `container 1.${MAX_MINOR}`,
  }
}
