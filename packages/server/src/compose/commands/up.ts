import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { checkpointFrom } from '../../lib/checkpoints.ts'
import { terminalBaseUrl } from '../app-options.ts'
import { baseUrl } from '../base-url.ts'
import { passwordsOf, writeCloudsFile } from '../clouds-file.ts'
import { usesKeystone } from '../config/check-logins.ts'
import type { Config, OptionName } from '../config/options.ts'
import { authenticateUri } from '../identity.ts'
import { logFile, logLevel, openLog } from '../logger.ts'
import { MutableOptions } from '../mutable-options.ts'
import { ROLES } from '../roles.ts'
import { SingleMachine } from '../single-machine.ts'
import { ensurePolicyFile, POLICY_FILE } from '../single-machine-policy.ts'
import { startTicksOf, StateDir } from '../state-dir.ts'
import { isSelfSigned } from '../tls-files.ts'
import { defaultStateDir, parseOptions, type Streams } from './args.ts'
import { CONFIG_OPTIONS, configArguments, directoriesOf, findConfig, requireConfig, type Found } from './config-of.ts'
import type { ConfigArguments } from '../config/places.ts'

export const UP_HELP = `usage: zund up [--state-dir DIR] [--api-port PORT] [--wsproxy-port PORT] [--bind ADDRESS]
               [--config-file FILE]... [--config-dir DIR]... [--detach] [--no-install]

Starts the whole service on this machine: API, conductor, compute and terminal proxy in one process, on SQLite,
with an identity service of its own unless [keystone_authtoken] names one. Options of zun.conf are honoured; those of the command line win.

  --state-dir DIR      where everything is kept (default: $ZUND_STATE_DIR, /var/lib/zund for root,
                       else ~/.local/state/zund)
  --api-port PORT      port of the API (default 9517)
  --wsproxy-port PORT  port of the terminals (default 6784)
  --bind ADDRESS       address both listen on (default 127.0.0.1)
  --config-file FILE   configuration, later ones win (default: the first of DIR/zun.conf, ~/.zun/zun.conf,
                       ~/zun.conf, /etc/zun/zun.conf, /etc/zun.conf)
  --config-dir DIR     its *.conf come on top (default: the first zun.conf.d in the same places)
  --detach             return when the service is ready and leave it running
  --no-install         install nothing: neither Node, npm dependencies nor a container engine

The container engine is the one of DOCKER_HOST (unix:// only) or of /var/run/docker.sock.`

interface UpOptions {
  readonly stateDir: string
  readonly config: ConfigArguments
  readonly overrides: Readonly<Partial<Record<OptionName, string>>>
}

export async function up(argv: readonly string[], streams: Streams): Promise<number> {
  const values = parseOptions('up', argv, {
    'state-dir': { type: 'string' },
    'api-port': { type: 'string' },
    'wsproxy-port': { type: 'string' },
    bind: { type: 'string' },
    ...CONFIG_OPTIONS,
    detach: { type: 'boolean' },
    'no-install': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  })
  if (values.help === true) {
    streams.out(UP_HELP)
    return 0
  }
  const options: UpOptions = {
    stateDir: resolve(values['state-dir'] ?? defaultStateDir()),
    config: configArguments(values),
    overrides: {
      ...(values['api-port'] === undefined ? {} : { apiPort: values['api-port'] }),
      ...(values['wsproxy-port'] === undefined ? {} : { wsproxyPort: values['wsproxy-port'] }),
      ...(values.bind === undefined ? {} : { apiHostIp: values.bind, wsproxyHost: values.bind }),
      ...engineFromEnvironment(),
    },
  }
  return values.detach === true ? await detached(argv, options, streams) : await inForeground(options, streams)
}

function engineFromEnvironment(): Partial<Record<OptionName, string>> {
  const given = process.env['DOCKER_HOST']
  return given === undefined || given === '' ? {} : { dockerApiUrl: given }
}

async function inForeground({ stateDir, config: given, overrides }: UpOptions, { out }: Streams): Promise<number> {
  const state = new StateDir(stateDir)
  state.prepare()
  if (!state.lock()) {
    const record = state.readRunRecord()
    out(`zund runs already in ${stateDir}${record === undefined ? '' : `: ${record.endpoint} (pid ${record.pid})`}.`)
    return 0
  }
  try {
    const read = (): Found => findConfig(state, given, { ...terminalUrl(overrides), ...overrides })
    const found = read()
    const config = requireConfig(found)
    const passwords = usesKeystone(config) ? undefined : passwordsOf(state)
    if (
      passwords !== undefined &&
      config.policyFile === POLICY_FILE &&
      !directoriesOf(found).some((directory) => hasPolicyFile(directory))
    ) {
      ensurePolicyFile(state)
    }
    // Everything of the user's directory has been looked up; it may be unmounted now.
    if (process.connected) process.chdir('/')
    return await serve(state, { ...found, config, reread: () => requireConfig(read()) }, passwords, out)
  } finally {
    state.unlock()
  }
}

function hasPolicyFile(directory: string): boolean {
  return existsSync(join(directory, POLICY_FILE))
}

/** An IPv6 address needs brackets in a URL. */
function terminalUrl({ wsproxyHost }: UpOptions['overrides']): Partial<Record<OptionName, string>> {
  if (wsproxyHost === undefined || !wsproxyHost.includes(':')) return {}
  return { wsproxyBaseUrl: 'ws://[$wsproxy_host]:$wsproxy_port/' }
}

async function serve(
  state: StateDir,
  found: Found & { readonly config: Config; readonly reread: () => Config },
  /** Of the built-in identity; undefined: users are those of a cloud. */
  passwords: ReadonlyMap<string, string> | undefined,
  out: Streams['out'],
): Promise<number> {
  const { config } = found
  const opened = openLog(logFile(config, state.path), { level: logLevel(config), json: config.useJson ?? true })
  const { log } = opened
  for (const { level, text } of found.findings) if (level !== 'error') log[level]({}, text)
  const stopped = Promise.withResolvers<number>()
  const machine = new SingleMachine({
    config,
    state,
    configDirs: directoriesOf(found),
    log,
    passwords: passwords ?? new Map(),
    checkpoint: checkpointFrom(process.env),
    onFatal: (reason) => {
      log.error({ reason }, 'stopping')
      stopped.resolve(1)
    },
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.resolve(0))
  await machine.start()
  const options = new MutableOptions(config, opened, found.reread)
  // In a terminal it says that the terminal has gone.
  process.on('SIGHUP', () => {
    if (process.stdin.isTTY) {
      stopped.resolve(0)
      return
    }
    opened.reopen()
    machine.reload()
    options.reload()
  })
  const cloudsFile =
    passwords === undefined
      ? undefined
      : writeCloudsFile(state, `${baseUrl(config)}/identity`, passwords, authorityOf(config))
  state.writeRunRecord({
    pid: process.pid,
    startTicks: startTicksOf(process.pid) ?? '',
    endpoint: `${baseUrl(config)}/v1`,
    terminals: terminalBaseUrl(config),
    engine: config.dockerApiUrl,
    host: config.host,
    roles: ROLES,
    startedAt: new Date().toISOString(),
  })
  log.info({ endpoint: baseUrl(config), host: config.host }, 'ready')
  for (const line of welcome(config, cloudsFile)) out(line)
  tellParent({ kind: 'ready' })
  const code = await stopped.promise
  await machine.stop()
  state.removeRunRecord()
  log.info({ code }, 'stopped')
  return code
}

/** What clients must trust besides what they trust anyway. */
function authorityOf({ enableSslApi, sslCertFile }: Config): string | undefined {
  return enableSslApi && sslCertFile !== null && isSelfSigned(sslCertFile) ? resolve(sslCertFile) : undefined
}

function welcome(config: Config, cloudsFile: string | undefined): string[] {
  const where = [
    `zund is ready on ${config.host === '' ? hostname() : config.host}.`,
    `  endpoint     ${baseUrl(config)}/v1`,
  ]
  if (cloudsFile === undefined) return [...where, `  identity     ${authenticateUri(config)}`]
  return [
    ...where,
    `  clouds.yaml  ${cloudsFile}   (clouds: zund = member of project demo, zund-admin = admin)`,
    '',
    'Try:',
    `  export OS_CLIENT_CONFIG_FILE=${cloudsFile} OS_CLOUD=zund`,
    '  openstack appcontainer run --name hello busybox sleep 1000',
    '  openstack appcontainer list',
    '  openstack appcontainer exec hello ls -l /',
  ]
}

/**
 * Starts this same command in the background and passes on what it says until it is ready or has failed. It speaks over
 * an IPC channel that it closes when ready, so that nothing of this process is needed afterwards.
 */
async function detached(argv: readonly string[], { stateDir }: UpOptions, streams: Streams): Promise<number> {
  const state = new StateDir(stateDir)
  state.prepare()
  const output = openSync(state.file('up.log'), 'a', 0o600)
  const child = spawn(
    process.execPath,
    [...process.execArgv, process.argv[1] ?? '', 'up', ...argv.filter((argument) => argument !== '--detach')],
    { detached: true, stdio: ['ignore', output, output, 'ipc'] },
  )
  closeSync(output)
  return await new Promise<number>((done) => {
    child.on('message', (message: DetachedMessage) => {
      if (message.kind === 'out') streams.out(message.line)
      else if (message.kind === 'err') streams.err(message.line)
      else {
        child.unref()
        done(0)
      }
    })
    child.once('exit', (code) => done(code ?? 1))
  })
}

export type DetachedMessage = { readonly kind: 'out' | 'err'; readonly line: string } | { readonly kind: 'ready' }

function tellParent(message: DetachedMessage): void {
  if (process.connected) process.send?.(message, () => process.disconnect())
}
