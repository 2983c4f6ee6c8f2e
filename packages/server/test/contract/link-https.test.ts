/** The link over HTTPS: who may speak, for whom, and that a whole machine works over it, whatever becomes of its connections. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:https'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { after, test, type TestContext } from 'node:test'
import { HttpsLink } from '../../src/adapters/link/https.ts'
import { FencedOut } from '../../src/domain/errors.ts'
import { AgentApiServer } from '../../src/edge/agent-api/agent-api-server.ts'
import { CONTROL_PLANE_URI, hostUri } from '../../src/lib/peer-identity.ts'
import type { ControlPlane } from '../../src/orchestration/ports/control-plane.ts'
import { answerLinkCall, linkOver } from '../../src/orchestration/ports/link.ts'
import { Authority, type Tls } from '../support/authority.ts'
import { quietLog } from '../support/quiet-log.ts'
import { HOST, SimMachine } from '../support/sim-machine.ts'
import { until } from '../support/until.ts'

const authority = new Authority()
after(() => authority.remove())
const CONTROL_PLANE = authority.issue(`URI:${CONTROL_PLANE_URI}`, 'DNS:elsewhere.test')
const MINE = authority.issue(`URI:${hostUri(HOST)}`)

const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(20_000) })

/** A machine whose agent speaks to it through `through`, a port, or the server's own. */
async function machine(
  t: TestContext,
  options: { tls?: Tls; through?: (port: number) => number } = {},
): Promise<{ machine: SimMachine; server: AgentApiServer; link: (as?: Tls) => ControlPlane }> {
  let end: ControlPlane | undefined
  const toEnd = linkOver(async (call, message, o) => {
    assert.ok(end !== undefined)
    return await answerLinkCall(end, call, message, o)
  })
  const tls = options.tls ?? CONTROL_PLANE
  const server = new AgentApiServer({ end: toEnd, log: quietLog, options: { host: '127.0.0.1', port: 0, tls } })
  await server.start()
  let started: SimMachine | undefined
  t.after(async () => {
    await started?.stop()
    await server.stop()
  })
  const link = (as = MINE, port = server.port, patienceMs = 100): ControlPlane => {
    const endpoints = [`https://127.0.0.1:${port}`]
    const made = new HttpsLink({ endpoints, tls: () => as, callTimeoutMs: 5_000, patienceMs })
    t.after(() => made.close())
    return made.controlPlane
  }
  started = await SimMachine.start({
    leaseTtlMs: 3_000,
    link: (its) => {
      end = its
      return link(MINE, options.through?.(server.port) ?? server.port, 20_000)
    },
  })
  return { machine: started, server, link: (as) => link(as) }
}

async function run(on: SimMachine): Promise<string> {
  const body = { image: 'busybox', command: ['serve'], memory: 64 }
  const made = await on.ask('alice', 'POST', '/v1/containers?run=true', body)
  assert.equal(made.statusCode, 202, made.body)
  await on.settled()
  const { uuid } = JSON.parse(made.body) as { uuid: string }
  const row = await on.store.containers.byUuid(uuid, { kind: 'all' })
  assert.equal(row?.status, 'Running', row?.statusReason ?? '')
  return uuid
}

test('a container is made, talked to and deleted over it, and events of its engine come back', async (t) => {
  const { machine: sim } = await machine(t)
  const uuid = await run(sim)
  sim.engine.exit(uuid, 3)
  await until('its end is seen', async () => {
    return (await sim.store.containers.byUuid(uuid, { kind: 'all' }))?.status === 'Stopped'
  })
  await sim.clear()
  assert.deepEqual(await sim.leftovers(), [])
  assert.deepEqual(sim.errors, [])
})

test('connections that are all cut sooner or later delay the work and do not harm it', async (t) => {
  let target = 0
  let cuts = 0
  let isCutting = false
  const cutter = createServer((user) => {
    const onward = connect(target, '127.0.0.1')
    cuts += 1
    // Some within the handshake, some within a message or its answer, none after more than a few of them.
    let left = isCutting ? 2_000 + ((cuts * 7_919) % 30_000) : 4_000
    const pass = (from: Socket, to: Socket): void => {
      from.on('error', () => undefined)
      from.on('close', () => to.destroy())
      from.on('data', (chunk) => {
        left -= chunk.length
        if (left >= 0 || !isCutting) to.write(chunk)
        else for (const side of [from, to]) side.resetAndDestroy()
      })
    }
    pass(user, onward)
    pass(onward, user)
  })
  await new Promise<void>((resolve) => cutter.listen(0, '127.0.0.1', resolve))
  t.after(() => cutter.close())
  const { machine: sim } = await machine(t, {
    through: (port) => {
      target = port
      return (cutter.address() as AddressInfo).port
    },
  })
  // An agent that cannot begin its session does not start at all.
  isCutting = true
  for (let n = 0; n < 4; n += 1) await run(sim)
  await sim.agreed()
  isCutting = false
  await sim.clear()
  assert.ok(cuts > 10, `only ${cuts} connections were made`)
  assert.deepEqual(await sim.leftovers(), [])
})

test('an agent speaks for the host of its certificate, and gets the work of no other lane', async (t) => {
  const { machine: sim, link } = await machine(t)
  const other = link(authority.issue(`URI:${hostUri('other-host')}`))
  const session = { host: HOST, epoch: (await sim.store.hosts.epochOf(HOST)) ?? 0 }
  const query = { session, lane: `host:${HOST}`, max: 1, waitMs: 0 }
  await assert.rejects(other.claim(query, soon()), /does not speak for sim-host/)
  await assert.rejects(other.openSession({ host: HOST, availabilityZone: 'nova' }, soon()), /does not speak for/)
  await assert.rejects(other.disposals(session, soon()), /does not speak for/)
  await assert.rejects(other.journal({ operationId: 1, fence: 1, session }, [], soon()), /does not speak for/)
  await assert.rejects(link().claim({ ...query, lane: 'conductor' }, soon()), /does not get the work of conductor/)
  assert.equal(await sim.store.hosts.epochOf(HOST), session.epoch)
})

test('a host cannot touch an operation of another one, whatever numbers it names', async (t) => {
  const { machine: sim, link } = await machine(t)
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  const reached = new Promise<void>((resolve) => {
    sim.engine.calls.faults.add({ call: 'create', trouble: { kind: 'hold', until: held, reached: resolve } })
  })
  const body = { image: 'busybox', command: ['serve'], memory: 64 }
  const { uuid } = JSON.parse((await sim.ask('alice', 'POST', '/v1/containers', body)).body) as { uuid: string }
  await reached
  const [running] = await sim.store.operations.actions(uuid)
  assert.ok(running !== undefined)
  const other = link(authority.issue(`URI:${hostUri('other-host')}`))
  const { epoch } = await other.openSession({ host: 'other-host', availabilityZone: 'nova' }, soon())
  const session = { host: 'other-host', epoch }
  const ref = { operationId: running.id, fence: running.fence, session }
  await assert.rejects(other.finish(ref, [], { kind: 'cancelled', message: 'mine' }, soon()), FencedOut)
  await assert.rejects(other.journal(ref, [], soon()), FencedOut)
  assert.deepEqual(await other.heartbeat({ session, leases: [ref], engineTrouble: null }, soon()), {
    held: [],
    superseded: [],
  })
  release()
  await sim.settled()
  assert.equal((await sim.store.containers.byUuid(uuid, { kind: 'all' }))?.status, 'Created')
})

test('an agent of an older life is fenced out', async (t) => {
  const { machine: sim, link } = await machine(t)
  const epoch = ((await sim.store.hosts.epochOf(HOST)) ?? 0) - 1
  await assert.rejects(link().report({ session: { host: HOST, epoch }, containers: [] }, soon()), FencedOut)
})

test('only certificates of the same authority are spoken to, from either end', async (t) => {
  const strangers = new Authority()
  t.after(() => strangers.remove())
  const stranger = { ...strangers.issue(`URI:${hostUri(HOST)}`), ca: MINE.ca }
  const { machine: sim, link, server } = await machine(t)
  const session = { host: HOST, epoch: (await sim.store.hosts.epochOf(HOST)) ?? 0 }
  await assert.rejects(link(stranger).disposals(session, soon()), /does not answer/)
  await assert.rejects(link(authority.issue('DNS:somebody')).disposals(session, soon()), /not that of a host/)
  await assert.rejects(link(CONTROL_PLANE).disposals(session, soon()), /not that of a host/)
  await assert.rejects(statusOf(server.port, undefined, '/link/v1/disposals', '{}'), /certificate|alert/i)

  // A host's certificate is no reason to believe that the control plane is there.
  const impostor = new AgentApiServer({
    end: link(),
    log: quietLog,
    options: { host: '127.0.0.1', port: 0, tls: authority.issue(`URI:${hostUri('other-host')}`) },
  })
  await impostor.start()
  t.after(() => impostor.stop())
  const misled = new HttpsLink({
    endpoints: [`https://127.0.0.1:${impostor.port}`],
    tls: () => MINE,
    callTimeoutMs: 5_000,
    patienceMs: 100,
  })
  t.after(() => misled.close())
  await assert.rejects(misled.controlPlane.disposals(session, soon()), /is not that of the control plane/)
})

test('what is no message of the link is refused with a reason, and nothing else is served', async (t) => {
  const { server, machine: sim } = await machine(t)
  const ask = async (path: string, body: string, method = 'POST') =>
    await statusOf(server.port, MINE, path, body, method)
  assert.equal(await ask('/link/v1/disposals', '{'), 400)
  assert.equal(await ask('/link/v1/disposals', '{"host": 4, "epoch": "x"}'), 400)
  assert.equal(await ask('/link/v1/disposals', 'null'), 400)
  assert.equal(await ask('/link/v1/__proto__', '{}'), 404)
  assert.equal(await ask('/v1/containers', '{}'), 404)
  assert.equal(await ask('/link/v1/disposals', '', 'GET'), 405)
  assert.equal(await ask('/link/v1/report', ' '.repeat(33 * 1024 * 1024)), 413)
  await run(sim)
})

test('the next endpoint is asked where one does not answer, and one that stops lets its waiting agents go', async (t) => {
  const { server, machine: sim } = await machine(t)
  const gone = createServer()
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
  const { port } = gone.address() as AddressInfo
  await new Promise((resolve) => gone.close(resolve))
  const both = new HttpsLink({
    endpoints: [`https://127.0.0.1:${port}`, `https://127.0.0.1:${server.port}`],
    tls: () => MINE,
    callTimeoutMs: 5_000,
    patienceMs: 100,
  })
  t.after(() => both.close())
  const session = { host: HOST, epoch: (await sim.store.hosts.epochOf(HOST)) ?? 0 }
  assert.deepEqual(await both.controlPlane.disposals(session, soon()), [])
  const waiting = both.controlPlane.claim({ session, lane: `host:${HOST}`, max: 1, waitMs: 60_000 }, soon())
  const failed = assert.rejects(waiting, /does not answer/)
  await server.stop()
  await failed
})

test('a certificate can be renewed while the service runs', async (t) => {
  const { server, link, machine: sim } = await machine(t)
  const session = { host: HOST, epoch: (await sim.store.hosts.epochOf(HOST)) ?? 0 }
  const renewed = new Authority()
  t.after(() => renewed.remove())
  server.renew(renewed.issue(`URI:${CONTROL_PLANE_URI}`))
  assert.deepEqual(await link(renewed.issue(`URI:${hostUri(HOST)}`)).disposals(session, soon()), [])
  await assert.rejects(link(MINE).disposals(session, soon()), /does not answer/)
})

async function statusOf(
  port: number,
  as: Tls | undefined,
  path: string,
  body: string,
  method = 'POST',
): Promise<number> {
  const sent = request({
    host: '127.0.0.1',
    port,
    path,
    method,
    ca: MINE.ca,
    ...as,
    checkServerIdentity: () => undefined,
  })
  const answered = once(sent, 'response') as Promise<[{ statusCode: number; resume(): void }]>
  // A message that is too large is cut off, after its answer.
  sent.on('error', () => undefined)
  sent.end(body)
  const [answer] = await answered
  answer.resume()
  return answer.statusCode
}
