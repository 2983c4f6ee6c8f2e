/** Where to log in and as whom: clouds.yaml and the variables OS_*, as other OpenStack clients read them. */
import { Failure, Misuse } from '../failures.ts'
import type { CloudFiles } from './files.ts'
import { nonEmpty } from './non-empty.ts'

type Environment = Readonly<Record<string, string | undefined>>

export type Credentials =
  | {
      readonly kind: 'password'
      readonly user: { readonly id?: string; readonly name?: string; readonly domain: Domain }
      readonly password: string
    }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'application credential'; readonly id?: string; readonly name?: string; readonly secret: string }

export interface Domain {
  readonly id?: string
  readonly name?: string
}

export interface Settings {
  readonly authUrl: string
  readonly credentials: Credentials
  /** null: none is asked for. */
  readonly project: { readonly id?: string; readonly name?: string; readonly domain: Domain } | null
  readonly region: string | null
  readonly interface: string
  /** Of the Containers service, instead of that in the catalogue. */
  readonly endpoint: string | null
  readonly authority: string | null
  readonly verify: boolean
  /** What they were read from, for messages. */
  readonly source: string
}

/** A section of clouds.yaml, or the variables in its form. */
type Section = Readonly<Record<string, unknown>>

/** A cloud that was named wins over variables; variables over the only cloud of a file. */
export async function readSettings(env: Environment, files: CloudFiles, cloud: string | undefined): Promise<Settings> {
  const named = cloud ?? nonEmpty(env['OS_CLOUD'])
  if (named !== undefined) return settingsOf(await files.cloud(named), `cloud ${named}`)
  if (nonEmpty(env['OS_AUTH_URL']) !== undefined) return settingsOf(fromVariables(env), 'the variables OS_*')
  const clouds = await files.names()
  if (clouds.length === 1 || clouds.includes('zund')) {
    const only = clouds.includes('zund') ? 'zund' : (clouds[0] ?? '')
    return settingsOf(await files.cloud(only), `cloud ${only}`)
  }
  if (clouds.length > 1) throw new Misuse(`name a cloud with --os-cloud or OS_CLOUD: ${clouds.join(', ')}`)
  throw new Failure(
    'there is nothing to log in with: no clouds.yaml, no OS_AUTH_URL, and no service started here by `zund up`',
  )
}

function fromVariables(env: Environment): Section {
  const auth: Record<string, unknown> = {}
  const section: Record<string, unknown> = { auth }
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('OS_') || nonEmpty(value) === undefined) continue
    const key = name.slice(3).toLowerCase()
    auth[key] = value
    section[key] = value
  }
  return {
    ...section,
    verify: env['OS_INSECURE'] !== undefined && /^(1|true|yes)$/i.test(env['OS_INSECURE']) ? false : undefined,
    container_endpoint_override: env['OS_CONTAINER_ENDPOINT_OVERRIDE'] ?? env['OS_ENDPOINT_OVERRIDE'],
    auth,
  }
}

function settingsOf(section: Section, source: string): Settings {
  const auth = record(section['auth'])
  const text = (name: string): string | undefined => {
    const value = auth[name] ?? section[name]
    if (value === undefined || value === null || value === '') return undefined
    if (typeof value === 'string' || typeof value === 'number') return String(value)
    throw new Failure(`${source}: ${name} must be a text`)
  }
  const authUrl = text('auth_url')
  if (authUrl === undefined) throw new Failure(`${source}: auth_url is missing`)
  if (!URL.canParse(authUrl)) throw new Failure(`${source}: auth_url '${authUrl}' is no URL`)
  const verify = section['verify'] ?? (section['insecure'] === true ? false : undefined)
  return {
    authUrl,
    credentials: credentialsOf(text, source),
    project: projectOf(text),
    region: text('region_name') ?? null,
    interface: (text('interface') ?? text('endpoint_type') ?? 'public').replace(/URL$/, ''),
    endpoint: text('container_endpoint_override') ?? text('application_container_endpoint_override') ?? null,
    authority: text('cacert') ?? null,
    verify: verify !== false && verify !== 'false',
    source,
  }
}

type TextOf = (name: string) => string | undefined

function credentialsOf(text: TextOf, source: string): Credentials {
  const secret = text('application_credential_secret')
  const type = text('auth_type') ?? ''
  if (type.endsWith('applicationcredential') || (type === '' && secret !== undefined)) {
    const [id, name] = [text('application_credential_id'), text('application_credential_name')]
    if (secret === undefined) throw new Failure(`${source}: application_credential_secret is missing`)
    if (id === undefined) throw new Failure(`${source}: application_credential_id is missing`)
    return { kind: 'application credential', id, secret, ...(name === undefined ? {} : { name }) }
  }
  const token = text('token')
  if (type.endsWith('token') || (type === '' && token !== undefined)) {
    if (token === undefined) throw new Failure(`${source}: token is missing`)
    return { kind: 'token', token }
  }
  if (type !== '' && !type.endsWith('password')) {
    throw new Failure(`${source}: auth_type '${type}' is not one of password, token, v3applicationcredential`)
  }
  const [id, name, password] = [text('user_id'), text('username'), text('password')]
  if (id === undefined && name === undefined) throw new Failure(`${source}: username is missing`)
  if (password === undefined) throw new Failure(`${source}: password is missing`)
  const user = { domain: domainOf(text, 'user_domain'), ...(id === undefined ? {} : { id }), ...withName(name) }
  return { kind: 'password', user, password }
}

function projectOf(text: TextOf): Settings['project'] {
  const id = text('project_id') ?? text('tenant_id')
  const name = text('project_name') ?? text('tenant_name')
  if (id !== undefined) return { id, domain: {} }
  return name === undefined ? null : { name, domain: domainOf(text, 'project_domain') }
}

function domainOf(text: TextOf, prefix: string): Domain {
  const id = text(`${prefix}_id`)
  if (id !== undefined) return { id }
  const name = text(`${prefix}_name`)
  if (name !== undefined) return { name }
  return { id: text('default_domain') ?? 'default' }
}

function withName(name: string | undefined): { readonly name?: string } {
  return name === undefined ? {} : { name }
}

function record(value: unknown): Section {
  return typeof value === 'object' && value !== null ? (value as Section) : {}
}
