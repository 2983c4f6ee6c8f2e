import { randomBytes } from 'node:crypto'
import { parse, stringify } from 'yaml'
import { messageOf } from '../domain/errors.ts'
import { ConfigError } from './config/config-error.ts'
import type { StateDir } from './state-dir.ts'

export interface CloudUser {
  /** Name of the cloud in clouds.yaml. */
  readonly cloud: string
  readonly user: string
  readonly project: string
  readonly role: string
}

export const CLOUD_USERS: readonly CloudUser[] = [
  { cloud: 'zund', user: 'demo', project: 'demo', role: 'member' },
  { cloud: 'zund-admin', user: 'admin', project: 'admin', role: 'admin' },
]

const FILE = 'clouds.yaml'

/** Passwords by user: those of the file that is there, else random ones. The file is where they are kept. */
export function passwordsOf(state: StateDir): ReadonlyMap<string, string> {
  const known = readPasswords(state)
  return new Map(CLOUD_USERS.map(({ user }) => [user, known.get(user) ?? randomBytes(18).toString('base64url')]))
}

function readPasswords(state: StateDir): ReadonlyMap<string, string> {
  const text = state.read(FILE)
  if (text === undefined) return new Map()
  let document: unknown
  try {
    document = parse(text)
  } catch (error) {
    throw new ConfigError(`${state.file(FILE)} cannot be read: ${messageOf(error).split('\n')[0]}; mend or remove it`)
  }
  const clouds = (document as { clouds?: Record<string, { auth?: { username?: unknown; password?: unknown } }> } | null)
    ?.clouds
  const passwords = new Map<string, string>()
  for (const cloud of Object.values(clouds ?? {})) {
    const { username, password } = cloud.auth ?? {}
    if (typeof username === 'string' && typeof password === 'string') passwords.set(username, password)
  }
  return passwords
}

/** Writes the file (mode 0600) and says where it is. */
export function writeCloudsFile(
  state: StateDir,
  authUrl: string,
  passwords: ReadonlyMap<string, string>,
  cacert?: string,
): string {
  const clouds = Object.fromEntries(
    CLOUD_USERS.map(({ cloud, user, project }) => [
      cloud,
      {
        auth: {
          auth_url: authUrl,
          username: user,
          password: passwords.get(user) ?? '',
          project_name: project,
          user_domain_name: 'Default',
          project_domain_name: 'Default',
        },
        region_name: 'RegionOne',
        identity_api_version: '3',
        ...(cacert === undefined ? {} : { cacert }),
      },
    ]),
  )
  state.write(FILE, stringify({ clouds }))
  return state.file(FILE)
}
