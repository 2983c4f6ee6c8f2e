/**
 * The whole service, on durable SQLite, with an engine in memory that does nothing: what is left is ours. Arguments: how
 * many containers to fill in.
 */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SimEngine } from '../../packages/server/src/adapters/fake/sim-engine.ts'
import { SqlDatabase } from '../../packages/server/src/adapters/sql/database.ts'
import { SqlStore } from '../../packages/server/src/adapters/sql/sql-store.ts'
import { passwordsOf } from '../../packages/server/src/compose/clouds-file.ts'
import { loadConfig } from '../../packages/server/src/compose/config/load.ts'
import { openLog } from '../../packages/server/src/compose/logger.ts'
import { DATABASE_FILE } from '../../packages/server/src/compose/control-plane.ts'
import { SingleMachine } from '../../packages/server/src/compose/single-machine.ts'
import { ensurePolicyFile } from '../../packages/server/src/compose/single-machine-policy.ts'
import { StateDir } from '../../packages/server/src/compose/state-dir.ts'
import { noCheckpoints } from '../../packages/server/src/lib/checkpoints.ts'
import { systemClock } from '../../packages/server/src/lib/system-clock.ts'
import { aContainer, anObservation, aSpec } from '../../packages/server/test/support/builders.ts'
import { ApiClient } from '../../packages/server/test/support/api-client.ts'
import { freePort } from '../../packages/server/test/support/zund-process.ts'

const count = Number(process.argv[2] ?? 0)
const state = new StateDir(mkdtempSync(join(process.env['ZUND_BENCH_DIR'] ?? tmpdir(), 'zund-bench-')))
state.prepare()
const [apiPort, terminalPort] = [await freePort(), await freePort()]
const config = loadConfig({
  files: [],
  environment: {},
  overrides: {
    host: 'bench',
    apiPort: String(apiPort),
    wsproxyPort: String(terminalPort),
    policyFile: ensurePolicyFile(state),
    quotaContainers: '-1',
    quotaCpu: '-1',
    quotaMemory: '-1',
    quotaDisk: '-1',
    cpuAllocationRatio: '100000',
    ramAllocationRatio: '100000',
    networkPoolV4: '10.192.0.0/16',
    networkPrefixV4: '17',
  },
})
const engine = new SimEngine({ clock: systemClock })
engine.images.add('busybox:latest')
const passwords = passwordsOf(state)
const machine = new SingleMachine({
  config,
  state,
  log: openLog(state.file('log'), { level: 'info', json: true }).log,
  checkpoint: noCheckpoints,
  passwords,
  engine,
  onFatal: (reason) => {
    throw new Error(reason)
  },
})
await machine.start()
const baseUrl = `http://127.0.0.1:${apiPort}`
const login = { username: 'demo', password: passwords.get('demo') ?? '', project: 'demo' }
const client = await ApiClient.login(baseUrl, login)
const uuids = await fill(client.projectId)
console.log(JSON.stringify({ port: apiPort, token: client.token, uuids, pid: process.pid }))

process.once('SIGTERM', () => {
  void machine.stop().then(() => {
    rmSync(state.path, { recursive: true })
    process.exit(0)
  })
})

/** Rows as a year of use leaves them: they ran and have ended, on a host that is no more, so nobody touches them. */
async function fill(projectId: string): Promise<string[]> {
  const database = new SqlDatabase(state.file(DATABASE_FILE))
  const store = new SqlStore(database)
  const made: string[] = []
  for (let n = 0; n < count; n += 1) {
    const container = aContainer({
      projectId,
      uuid: randomUUID(),
      name: `bench-${n}`,
      host: 'gone',
      spec: aSpec({ command: ['sleep', '1000'], environment: { A: 'b' }, labels: { app: 'bench' } }),
      addresses: { [randomUUID()]: [address('10.192.0.2', 4), address('fd00::2', 6)] },
    })
    made.push(container.uuid)
    await store.write(async (tx) => {
      await tx.containers.insert(container)
      await tx.containers.update(container.uuid, { observed: anObservation({ state: 'running', startedAtMs: 1 }) })
    })
  }
  await store.close()
  return made
}

function address(addr: string, version: 4 | 6) {
  return { addr, version, port: randomUUID(), subnet_id: randomUUID(), preserve_on_delete: false }
}
