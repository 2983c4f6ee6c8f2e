import { json, text as textOf } from 'node:stream/consumers'
import { Failure } from '../failures.ts'
import { field, refusal, send, type Trust } from '../http.ts'
import type { Settings } from './settings.ts'

/** What is kept between commands. */
export interface Session {
  readonly token: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  /** Root of the Containers service, without `/v1`. */
  readonly endpoint: string
  readonly project: string | null
  readonly user: string | null
  readonly trust: Trust
  /** Names of what the service has beyond the API of upstream. */
  readonly extensions: readonly string[]
  /** Microversion, `1.40`. */
  readonly version: string
}

/** Newest microversion that this client knows. */
const NEWEST = 40
const SERVICE_TYPES: readonly unknown[] = ['container', 'application-container']

export async function login(settings: Settings, trust: Trust, signal: AbortSignal): Promise<Session> {
  const url = new URL(`${settings.authUrl.replace(/\/+$/, '').replace(/\/v3$/, '')}/v3/auth/tokens`)
  const body = JSON.stringify({ auth: { identity: identityOf(settings), ...scopeOf(settings) } })
  const headers = { 'content-type': 'application/json', accept: 'application/json' }
  const answer = await send(url, trust, { method: 'POST', headers, body, signal })
  if (answer.statusCode !== 201) {
    const { status, message } = await refusal(answer)
    throw new Failure(`${settings.source}: the login was refused (HTTP ${status}): ${message}`)
  }
  const token = answer.headers['x-subject-token']
  const about = field(await json(answer), 'token')
  if (typeof token !== 'string') throw new Failure(`${url.href} gave no token`)
  const endpoint = (settings.endpoint ?? inCatalogue(about, settings)).replace(/\/+$/, '').replace(/\/v1$/, '')
  const expires = field(about, 'expires_at')
  const session = {
    token,
    expiresAt: typeof expires === 'string' ? Date.parse(expires) || 0 : 0,
    endpoint,
    project: textOrNull(field(field(about, 'project'), 'name')),
    user: textOrNull(field(field(about, 'user'), 'name')),
    trust,
  }
  const version = await agreedVersion(session, signal)
  return { ...session, version, extensions: await extensionsOf(session, signal) }
}

function identityOf({ credentials }: Settings): object {
  switch (credentials.kind) {
    case 'password': {
      const { id, name, domain } = credentials.user
      const user = id === undefined ? { name, domain } : { id }
      return { methods: ['password'], password: { user: { ...user, password: credentials.password } } }
    }
    case 'token':
      return { methods: ['token'], token: { id: credentials.token } }
    case 'application credential': {
      const { id, secret } = credentials
      return { methods: ['application_credential'], application_credential: { id, secret } }
    }
    default:
      return credentials satisfies never
  }
}

function scopeOf({ project, credentials }: Settings): object {
  // An application credential is for the project it was made in.
  if (project === null || credentials.kind === 'application credential') return {}
  const { id, name, domain } = project
  return { scope: { project: id === undefined ? { name, domain } : { id } } }
}

function inCatalogue(about: unknown, { region, interface: wanted }: Settings): string {
  const catalogue = field(about, 'catalog')
  for (const entry of Array.isArray(catalogue) ? catalogue : []) {
    const endpoints = field(entry, 'endpoints')
    if (!SERVICE_TYPES.includes(field(entry, 'type')) || !Array.isArray(endpoints)) continue
    for (const one of endpoints) {
      const there = [field(one, 'region'), field(one, 'region_id')]
      const url = field(one, 'url')
      if (field(one, 'interface') !== wanted || typeof url !== 'string') continue
      if (region === null || there.includes(region)) return url
    }
  }
  const where = region === null ? '' : ` in region ${region}`
  throw new Failure(`the catalogue has no ${wanted} endpoint of the Containers service${where}`)
}

type Bare = Pick<Session, 'endpoint' | 'token' | 'trust'>

async function agreedVersion({ endpoint, trust }: Bare, signal: AbortSignal): Promise<string> {
  const answer = await send(new URL(`${endpoint}/`), trust, { method: 'GET', headers: {}, signal })
  const body = await textOf(answer)
  const most = /"max_version": ?"1\.(\d{1,3})"/.exec(body)?.[1]
  if (most === undefined) throw new Failure(`${endpoint} is no Containers service: it names no versions`)
  return `1.${Math.min(NEWEST, Number(most))}`
}

async function extensionsOf({ endpoint, token, trust }: Bare, signal: AbortSignal): Promise<string[]> {
  const headers = { 'x-auth-token': token, accept: 'application/json' }
  const answer = await send(new URL(`${endpoint}/v1/extensions`), trust, { method: 'GET', headers, signal })
  const list = answer.statusCode === 200 ? field(await json(answer), 'extensions') : undefined
  answer.resume()
  return (Array.isArray(list) ? list : []).map((one) => String(field(one, 'name')))
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
