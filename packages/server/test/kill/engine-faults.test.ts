/** The engine is killed, restarted and made to hang under a service that runs; it has an engine of its own for that. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { importBusybox } from '../../../../tools/test/busybox-image.ts'
import { PrivateEngine } from '../../../../tools/test/private-engine.ts'
import { OBEDIENT, type ApiClient, type ContainerBody } from '../support/api-client.ts'
import { CapsuleStage, SERVES, WAITS } from '../support/capsule-stage.ts'
import { closeAll } from '../support/close-all.ts'
import { ZundProcess } from '../support/zund-process.ts'

const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(90_000) })

const RETRY_TIME_S = 20
const SLEEPER = { image: 'busybox', image_pull_policy: 'never', command: OBEDIENT }

interface ServiceBody {
  readonly services: readonly { readonly host: string; readonly state: string }[]
}

describe('an engine that fails', () => {
  let engine: PrivateEngine
  let zund: ZundProcess
  let client: ApiClient
  let admin: ApiClient

  before(async () => {
    engine = await PrivateEngine.start({ ...soon(), inThisNetwork: true, args: ['--bridge=none'] })
    await importBusybox(engine.socketPath, soon())
    zund = await ZundProcess.start({
      engineSocket: engine.socketPath,
      conf: `operation_retry_time = ${RETRY_TIME_S}\n[docker]\ndefault_timeout = 5`,
    })
    client = await zund.client()
    admin = await zund.client('zund-admin')
  })
  after(() =>
    closeAll(
      () => zund.destroy(),
      () => engine.stop(),
    ),
  )

  it('restarted in the middle of operations: all of them are finished, and what it has stopped shows Stopped', async () => {
    const runs = await client.run({ name: 'before-the-restart' })
    const creates = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((n) =>
        client.expect<ContainerBody>(202, 'POST', '/v1/containers?run=true', {
          body: { ...SLEEPER, name: `in-the-middle-${n}` },
        }),
      ),
    )
    await engine.end()
    await engine.begin(soon())
    // Each of the six was before its start, and is started now, or after it, and was stopped with the engine.
    for (const { uuid } of creates) {
      const found = await client.waitFor(
        uuid,
        (c) => ['Running', 'Stopped'].includes(c.status) && c.task_state === null,
      )
      assert.equal((await actionsOf(client, uuid))[0]?.message, null, `${found.name} ${found.status_reason}`)
    }
    await client.waitFor(runs.uuid, (c) => c.status === 'Stopped')
    await client.expect(202, 'POST', `/v1/containers/${runs.uuid}/start`)
    await client.waitFor(runs.uuid, (c) => c.status === 'Running')
    for (const { uuid } of [runs, ...creates]) await client.delete(uuid)
  })

  it('restarted under capsules: their containers join the new life of their network, unless they are never to run again', async () => {
    const stage = await CapsuleStage.on(zund)
    try {
      const always = await stage.run({ containers: [SERVES, WAITS] })
      const never = await stage.run({ restartPolicy: 'Never', containers: [WAITS] })
      const [server, other] = always.containers
      assert.ok(server && other)
      await engine.end()
      await engine.begin(soon())
      // An error for a moment: an engine that goes down ends the sandbox before the container.
      await until(async () => (await stage.show(never.uuid)).status === 'Stopped', 'the other one to be stopped')
      await until(async () => {
        const sandbox = await stage.startedAt(always)
        const members = await Promise.all([server, other].map((member) => stage.startedAt(member)))
        return members.every((started) => started > sandbox)
      }, 'the containers to have joined')
      const { addresses } = await stage.waitFor(always.uuid, ({ status }) => status === 'Running')
      assert.deepEqual(addresses, always.addresses)
      await until(
        async () => (await stage.exec(other, ['wget', '-qO-', 'http://127.0.0.1:8080/served'])).startsWith('served'),
        'it to serve again',
      )
      await stage.deleteAll()
      assert.deepEqual(await stage.engineHas(), [])
    } finally {
      stage.close()
    }
  })

  it('away: reads go on, its host is down, live calls say so, operations wait and then go on', async () => {
    const runs = await client.run({ name: 'waits' })
    await engine.kill()
    await until(async () => (await serviceState(admin)) === 'down', 'the host to be down')
    assert.equal((await client.show(runs.uuid)).name, 'waits')
    const logs = await client.call('GET', `/v1/containers/${runs.uuid}/logs`)
    assert.equal(logs.status, 503, logs.text)
    assert.match(logs.text, /does not answer|down/)
    await client.expect(202, 'POST', `/v1/containers/${runs.uuid}/stop?timeout=0`)
    // No host is left for a new one: accepted, and in Error at once, as the contract has it.
    const late = await client.expect<ContainerBody>(202, 'POST', '/v1/containers', { body: SLEEPER })
    assert.equal(late.status, 'Error')
    assert.match(late.status_reason ?? '', /not enough hosts.*ComputeFilter/)
    await engine.begin(soon())
    await client.waitFor(runs.uuid, (c) => c.status === 'Stopped' && c.task_state === null)
    await until(async () => (await serviceState(admin)) === 'up', 'the host to be up')
    await client.delete(late.uuid, '')
    await client.delete(runs.uuid)
  })

  it('away for longer than operations wait: they end with the reason, and a delete brings everything to an end', async () => {
    const runs = await client.run({ name: 'gives-up' })
    await engine.kill()
    await client.expect(202, 'POST', `/v1/containers/${runs.uuid}/stop?timeout=0`)
    const action = await until(async () => {
      const [newest] = await actionsOf(client, runs.uuid)
      return newest?.finish_time == null ? undefined : newest
    }, 'the stop to end')
    assert.deepEqual([action.action, action.message], ['stop', 'Error'])
    assert.match((await client.show(runs.uuid)).status_reason ?? '', /engine/)
    await engine.begin(soon())
    await client.waitFor(runs.uuid, (c) => c.status === 'Stopped')
    await client.delete(runs.uuid, '')
  })

  it('hanging: the host is marked, reads and other requests are not held up, and it goes on where it was', async () => {
    const runs = await client.run({ name: 'hangs' })
    process.kill(engine.pid, 'SIGSTOP')
    try {
      await client.expect(202, 'POST', `/v1/containers/${runs.uuid}/stop?timeout=0`)
      await until(async () => (await serviceState(admin)) === 'down', 'the host to be down')
      await client.show(runs.uuid)
      const exec = await client.call('POST', `/v1/containers/${runs.uuid}/execute?command=true`)
      assert.equal(exec.status, 503, exec.text)
    } finally {
      process.kill(engine.pid, 'SIGCONT')
    }
    await client.waitFor(runs.uuid, (c) => c.status === 'Stopped' && c.task_state === null)
    await client.delete(runs.uuid, '')
  })
})

interface Action {
  readonly action: string
  readonly message: string | null
  readonly finish_time: string | null
}

async function actionsOf(client: ApiClient, uuid: string): Promise<readonly Action[]> {
  const { containerActions } = await client.expect<{ containerActions: readonly Action[] }>(
    200,
    'GET',
    `/v1/containers/${uuid}/container_actions`,
  )
  return containerActions
}

async function serviceState(admin: ApiClient): Promise<string | undefined> {
  return (await admin.expect<ServiceBody>(200, 'GET', '/v1/services')).services[0]?.state
}

async function until<T>(probe: () => Promise<T | undefined | false>, what: string): Promise<T> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const found = await probe()
    if (found !== undefined && found !== false) return found
    assert.ok(Date.now() < deadline, `waited too long for ${what}`)
    await sleep(50)
  }
}
