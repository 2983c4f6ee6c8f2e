import { existsSync } from 'node:fs'
import { get as httpGet } from 'node:http'
import { get as httpsGet } from 'node:https'
import { resolve } from 'node:path'
import { Kysely } from 'kysely'
import { messageOf } from '../../domain/errors.ts'
import { SqliteConnection, SqliteDialect } from '../../adapters/sql/dialect/sqlite.ts'
import { ContainerRepo } from '../../adapters/sql/repos/containers.ts'
import { HostRepo } from '../../adapters/sql/repos/hosts.ts'
import { OperationRepo } from '../../adapters/sql/repos/operations.ts'
import type { Schema } from '../../adapters/sql/schema.ts'
import { startTicksOf, StateDir } from '../state-dir.ts'
import { defaultStateDir, parseOptions, type Streams } from './args.ts'
import { DATABASE_FILE } from '../control-plane.ts'
import { ROLES } from '../roles.ts'

export const STATUS_HELP = `usage: zund status [--state-dir DIR] [--json]
       zund status upgrade check [--config-file FILE]... [--config-dir DIR]... [--state-dir DIR]

Shows whether the service runs, its roles, its container engine, and how many containers and operations there are.
Exit code 0 when it runs, 3 when it does not. 'upgrade check' says whether this program can take over what is there: 0 it
can, 1 something is worth a look, 2 something is in the way.

  --state-dir DIR   state directory of the service (default: $ZUND_STATE_DIR, /var/lib/zund for root,
                    else ~/.local/state/zund)
  --json            the same as JSON`

const NOT_RUNNING = 3

interface Report {
  readonly running: boolean
  readonly state_dir: string
  readonly endpoint: string | null
  readonly pid: number | null
  readonly started_at: string | null
  /** Role → `up` or what is wrong. */
  readonly roles: Readonly<Record<string, string>>
  readonly engine: string
  readonly containers: Readonly<Record<string, number>>
  readonly operations: Readonly<Record<string, number>>
}

export async function status(argv: readonly string[], { out }: Streams): Promise<number> {
  const values = parseOptions('status', argv, {
    'state-dir': { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  })
  if (values.help === true) {
    out(STATUS_HELP)
    return 0
  }
  const report = await inspect(new StateDir(resolve(values['state-dir'] ?? defaultStateDir())))
  if (values.json === true) out(JSON.stringify(report, null, 2))
  else for (const line of lines(report)) out(line)
  return report.running ? 0 : NOT_RUNNING
}

async function inspect(state: StateDir): Promise<Report> {
  const record = state.readRunRecord()
  const isUp = record !== undefined && startTicksOf(record.pid) === record.startTicks
  const stored = await readDatabase(state.file(DATABASE_FILE))
  const api = isUp ? await healthOf(record.endpoint) : 'up'
  // Each by itself: which of them hold their lock is all that is known of them here.
  const running = isUp ? record.roles : ROLES.filter((role) => state.isHeldFor(role))
  return {
    running: running.length > 0,
    state_dir: state.path,
    endpoint: isUp ? record.endpoint : null,
    pid: isUp ? record.pid : null,
    started_at: isUp ? record.startedAt : null,
    roles: Object.fromEntries(running.map((role) => [role, role === 'api' ? api : 'up'])),
    engine: stored.engine,
    containers: stored.containers,
    operations: stored.operations,
  }
}

function lines(report: Report): string[] {
  const counts = (all: Readonly<Record<string, number>>): string =>
    Object.entries(all)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ') || 'none'
  const since = report.pid === null ? '' : ` (pid ${report.pid}, since ${report.started_at})`
  return [
    `zund        ${report.running ? 'running' : 'not running'}${since}`,
    `state       ${report.state_dir}`,
    ...(report.endpoint === null ? [] : [`endpoint    ${report.endpoint}`]),
    ...Object.entries(report.roles).map(([role, how]) => `${role.padEnd(11)} ${how}`),
    `engine      ${report.engine}`,
    `containers  ${counts(report.containers)}`,
    `operations  ${counts(report.operations)}`,
  ]
}

async function healthOf(endpoint: string): Promise<string> {
  try {
    const code = await codeOf(new URL('/healthcheck', endpoint))
    return code === 200 ? 'up' : `answers ${code}`
  } catch (error) {
    if (isAskedWho(error)) return 'up'
    return `does not answer (${messageOf(error)})`
  }
}

/** With [ssl] ca_file it serves only clients with a certificate, which this one has not; who refuses so is there. */
function isAskedWho(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'
}

/** Whether it lives is asked, and nothing told: its certificate may be for a name that this machine does not know. */
async function codeOf(url: URL): Promise<number | undefined> {
  const options = { signal: AbortSignal.timeout(2_000), agent: false } as const
  return await new Promise((answered, failed) => {
    const request =
      url.protocol === 'https:' ? httpsGet(url, { ...options, rejectUnauthorized: false }) : httpGet(url, options)
    request.once('error', failed)
    request.once('response', (response) => {
      response.resume()
      answered(response.statusCode)
    })
  })
}

async function readDatabase(file: string): Promise<Pick<Report, 'engine' | 'containers' | 'operations'>> {
  if (!existsSync(file)) return { engine: 'unknown', containers: {}, operations: {} }
  const db = new Kysely<Schema>({ dialect: new SqliteDialect(new SqliteConnection(file, { readOnly: true })) })
  try {
    const [host] = await new HostRepo(db).list()
    const inventory = host?.inventory
    const version =
      inventory === null || inventory === undefined
        ? 'not seen yet'
        : `${inventory.engineVersion} (API ${inventory.engineApiVersion})`
    return {
      engine: host?.engineTrouble == null ? version : `${version}, in trouble: ${host.engineTrouble}`,
      containers: await new ContainerRepo(db).countByStatus(),
      operations: await new OperationRepo(db).countByState(),
    }
  } finally {
    await db.destroy()
  }
}
