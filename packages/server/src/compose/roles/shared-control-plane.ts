/** The control plane in several processes of one machine: the database, and how they tell each other of work. */
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { SocketDoorbell } from '../../adapters/doorbell/socket.ts'
import type { StreamDialer } from '../../app/ports/stream-dialer.ts'
import { HttpsStreamDialer } from '../../adapters/streams/https-dialer.ts'
import type { HostAccess } from '../../adapters/streams/host-access.ts'
import { ConfigError } from '../config/config-error.ts'
import type { Config } from '../config/options.ts'
import { DATABASE_FILE, openControlPlane, type ControlPlaneParts } from '../control-plane.ts'
import type { StateDir } from '../state-dir.ts'
import type { OwnCertificate } from '../tls.ts'
import type { RoleDeps } from './role.ts'

/** Beside the database: who has one has the other. */
const BELLS = 'bells'

/** ConfigError when the records are to be somewhere that is not supported. */
export function databaseFile({ databaseConnection: place }: Config, state: StateDir): string {
  if (place === null) return state.file(DATABASE_FILE)
  if (place.kind === 'sqlite') return resolve(state.path, place.file)
  throw new ConfigError(
    `option connection in [database] names ${place.scheme}: only sqlite:////path, a file on this machine, is supported yet`,
  )
}

/** Opened, and closed with the role. ConfigError when it is not there, or of another version. */
export async function joinControlPlane(
  role: string,
  { config, state, log, life }: Pick<RoleDeps, 'config' | 'state' | 'log' | 'life'>,
): Promise<ControlPlaneParts> {
  const file = databaseFile(config, state)
  if (!existsSync(file)) throw new ConfigError(`there is no database ${file}; 'zund db sync' makes it`)
  const doorbell = new SocketDoorbell({ directory: resolve(dirname(file), BELLS), name: `${role}-${process.pid}`, log })
  const parts = openControlPlane(file, { doorbell, isShared: true, migrate: false })
  life.onStop(() => parts.store.close())
  await life.start(doorbell)
  return parts
}

/** How the control plane reaches its hosts. */
export function hostAccess({ store }: Pick<ControlPlaneParts, 'store'>, certificate: OwnCertificate): HostAccess {
  return {
    addressOf: async (host) => (await store.hosts.byName(host))?.address ?? undefined,
    tls: () => certificate.current(),
  }
}

const PING_MS = 20_000
const CLOSE_GRACE_MS = 5_000
const OPEN_TIMEOUT_MS = 15_000

export const STREAM_TIMES = { pingMs: PING_MS, closeGraceMs: CLOSE_GRACE_MS, openTimeoutMs: OPEN_TIMEOUT_MS }

export function composeDialer(access: HostAccess): StreamDialer {
  return new HttpsStreamDialer({ ...STREAM_TIMES, ...access })
}
