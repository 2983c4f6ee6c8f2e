/** One role in a process of its own. */
import { resolve } from 'node:path'
import { checkpointFrom } from '../../lib/checkpoints.ts'
import type { Config } from '../config/options.ts'
import { Lifetime } from '../lifetime.ts'
import { logLevel, openLog, programLogFile, type OpenLog } from '../logger.ts'
import { MutableOptions } from '../mutable-options.ts'
import { InitSystem } from '../notify.ts'
import type { StartRole } from '../roles/role.ts'
import { StateDir } from '../state-dir.ts'
import { ConfigError } from '../config/config-error.ts'
import { defaultStateDir, parseOptions, type Streams } from './args.ts'
import {
  CONFIG_OPTIONS,
  configArguments,
  directoriesOf,
  findConfig,
  requireConfig,
  type ConfigValues,
} from './config-of.ts'

const ROLES = {
  api: {
    about: 'the API, and the end of the link that hosts speak to',
    load: async () => (await import('../roles/api.ts')).startApi,
  },
  conductor: {
    about: 'what is done for the deployment as a whole, where the API is told to leave it ([zund] conductor_in_api)',
    load: async () => (await import('../roles/conductor.ts')).startConductor,
  },
  compute: {
    about: 'the containers of this host; needs [zund] control_plane',
    load: async () => (await import('../roles/compute.ts')).startCompute,
  },
  wsproxy: {
    about: 'terminals, at a port of their own',
    load: async () => (await import('../roles/wsproxy.ts')).startWsproxy,
  },
} as const satisfies Readonly<Record<string, { about: string; load: () => Promise<StartRole> }>>

export type RoleName = keyof typeof ROLES

export function isRole(name: string): name is RoleName {
  return Object.hasOwn(ROLES, name)
}

export function roleHelp(name: RoleName): string {
  return `usage: zund ${name} [--config-file FILE]... [--config-dir DIR]... [--state-dir DIR]

Runs one role until it is told to stop: ${ROLES[name].about}. docs/roles.md tells how roles find each other.

  --config-file FILE   configuration, later ones win (default: the first of DIR/zun.conf, ~/.zun/zun.conf,
                       ~/zun.conf, /etc/zun/zun.conf, /etc/zun.conf)
  --config-dir DIR     its *.conf come on top (default: the first zun.conf.d in the same places)
  --state-dir DIR      where its state is kept (default: [DEFAULT] state_path, $ZUND_STATE_DIR,
                       /var/lib/zund for root, else ~/.local/state/zund)

SIGTERM stops it; containers keep running. SIGHUP opens the log again, reads certificates and those options that may
change while it runs, and logs what has changed.`
}

/** Options of every command that works on a role's state. */
export const ROLE_OPTIONS = { ...CONFIG_OPTIONS, 'state-dir': { type: 'string' } } as const

/** The configuration, and the directory that it, the command line or the environment names. */
export function placesOf(values: ConfigValues & { readonly 'state-dir'?: string | undefined }) {
  const asked = new StateDir(resolve(values['state-dir'] ?? defaultStateDir()))
  const read = () => findConfig(asked, configArguments(values))
  const found = read()
  const config = requireConfig(found)
  const isGiven = values['state-dir'] !== undefined || config.statePath === null
  return { state: isGiven ? asked : new StateDir(resolve(config.statePath ?? asked.path)), found, config, read }
}

export async function role(name: RoleName, argv: readonly string[], { out }: Streams): Promise<number> {
  const values = parseOptions(name, argv, { ...ROLE_OPTIONS, help: { type: 'boolean', short: 'h' } })
  if (values.help === true) {
    out(roleHelp(name))
    return 0
  }
  const { state, found, config, read } = placesOf(values)
  state.prepare()
  if (!state.lockFor(name)) throw new ConfigError(`${state.path} is in use: 'zund ${name}' or 'zund up' runs on it`)
  try {
    const opened = openLog(programLogFile(config, `zun-${name}`), {
      level: logLevel(config),
      json: config.useJson ?? false,
    })
    for (const { level, text } of found.findings) if (level !== 'error') opened.log[level]({}, text)
    const start = await ROLES[name].load()
    return await serve(name, start, {
      state,
      config,
      configDirs: directoriesOf(found),
      opened,
      reread: () => requireConfig(read()),
    })
  } finally {
    state.unlock()
  }
}

interface Serving {
  readonly state: StateDir
  readonly config: Config
  readonly configDirs: readonly string[]
  readonly opened: OpenLog
  /** ConfigError when it cannot be used any more. */
  readonly reread: () => Config
}

async function serve(
  name: RoleName,
  start: StartRole,
  { state, config, configDirs, opened, reread }: Serving,
): Promise<number> {
  const { log } = opened
  const init = new InitSystem(log)
  const life = new Lifetime(log)
  const ended = Promise.withResolvers<number>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.resolve(0))
  const onFatal = (reason: string): void => {
    log.error({ reason }, 'stopping')
    ended.resolve(1)
  }
  try {
    await start({ config, state, configDirs, log, checkpoint: checkpointFrom(process.env), life, onFatal })
    const options = new MutableOptions(config, opened, reread)
    process.on('SIGHUP', () => {
      opened.reopen()
      life.reload()
      options.reload()
    })
    log.info({ role: name, host: config.host }, 'ready')
    await init.ready()
    return await ended.promise
  } finally {
    await init.stopping()
    await life.stop()
    log.info({ role: name }, 'stopped')
  }
}
