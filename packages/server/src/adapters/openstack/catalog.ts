/** The catalogue of a token, and where a service is by it. */
import type { ServiceType } from './call.ts'
import { recordsIn, textIn } from './json.ts'

export type Interface = 'public' | 'internal' | 'admin'

export interface Endpoint {
  readonly service: string
  readonly interface: string
  readonly region: string
  readonly url: string
}

export interface Wanted {
  readonly service: ServiceType
  readonly interface: Interface
  /** null: the first there is. */
  readonly region: string | null
}

/** Types by which the same service is known, the usual one first. */
const KNOWN_AS: Readonly<Record<ServiceType, readonly string[]>> = {
  identity: ['identity'],
  image: ['image'],
  network: ['network'],
  volumev3: ['volumev3', 'block-storage', 'block-store', 'volume'],
  placement: ['placement'],
}

/** What is not of the expected form is left out: a mistake at one service must not hide the others. */
export function endpointsIn(token: unknown): Endpoint[] {
  return recordsIn(token, 'catalog').flatMap((entry) =>
    recordsIn(entry, 'endpoints').flatMap((endpoint): Endpoint[] => {
      const [service, url] = [textIn(entry, 'type'), textIn(endpoint, 'url')]
      if (service === undefined || url === undefined || !URL.canParse(url)) return []
      const region = textIn(endpoint, 'region_id') ?? textIn(endpoint, 'region') ?? ''
      return [{ service, interface: textIn(endpoint, 'interface') ?? '', region, url }]
    }),
  )
}

export function findEndpoint(endpoints: readonly Endpoint[], wanted: Wanted): string | undefined {
  for (const type of KNOWN_AS[wanted.service]) {
    const found = endpoints.find(
      (endpoint) =>
        endpoint.service === type &&
        endpoint.interface === wanted.interface &&
        (wanted.region === null || endpoint.region === wanted.region),
    )
    if (found !== undefined) return found.url
  }
  return undefined
}

/** Some catalogues have the version in the endpoint, others leave it to the caller. */
export function joinUrl(endpoint: string, path: string): URL {
  const url = new URL(endpoint)
  const base = url.pathname.replace(/\/+$/, '')
  url.pathname = (/^\/v\d/.test(path) ? base.replace(/\/v\d+(\.\d+)?$/, '') : base) + path
  return url
}
