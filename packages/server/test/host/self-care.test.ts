/** What containers go through by themselves on a real engine, and that it is known afterwards why. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ApiClient, ContainerBody } from '../support/api-client.ts'
import { until } from '../support/until.ts'
import { ZundProcess } from '../support/zund-process.ts'

interface Stop {
  readonly reason: string
  readonly actor: string
  readonly exit_code: number | null
  readonly signal: string | null
  readonly oom_killed: boolean
  readonly request_id: string | null
  readonly message: string | null
}

interface History {
  readonly deleted_at: string | null
  readonly stops: readonly Stop[]
  readonly actions: readonly { readonly action: string; readonly request_id: string; readonly state: string }[]
}

interface Inspected {
  readonly Id: string
  readonly RestartCount: number
  readonly State: { readonly Status: string; readonly Pid: number }
  readonly Config: { readonly Healthcheck?: Readonly<Record<string, unknown>>; readonly Image: string }
  readonly HostConfig: {
    readonly Memory: number
    readonly CpuShares: number
    readonly AutoRemove: boolean
    readonly RestartPolicy: { readonly Name: string; readonly MaximumRetryCount: number }
  }
}

let zund: ZundProcess
let client: ApiClient
before(async () => {
  zund = await ZundProcess.start()
  client = await zund.client()
})
after(() => zund.destroy())

const engineName = (uuid: string): string => `zun-${uuid}`
const inspect = async (uuid: string): Promise<Inspected> =>
  await zund.engine.api<Inspected>('GET', `/containers/${engineName(uuid)}/json`)
const history = async (uuid: string): Promise<History> =>
  await client.expect<History>(200, 'GET', `/v1/history/containers/${uuid}`)

/** The newest stop, once there are as many. */
async function stopOf(uuid: string, count = 1): Promise<Stop> {
  return await until(`${count} stops of ${uuid}`, async () => {
    const { stops } = await history(uuid)
    return stops.length >= count ? stops[0] : undefined
  })
}

const facts = ({ reason, actor, exit_code: code, signal }: Stop): unknown[] => [reason, actor, code, signal]

test('why it stopped: by itself, by a signal from outside, by a request, for want of memory, or never begun', async () => {
  const itself = await client.expect<ContainerBody>(202, 'POST', '/v1/containers?run=true', {
    body: { image: 'busybox', image_pull_policy: 'never', command: ['sh', '-c', 'exit 42'] },
  })
  assert.deepEqual(facts(await stopOf(itself.uuid)), ['exited', 'container', 42, null])

  const outside = await client.run()
  await zund.engine.kill(engineName(outside.uuid))
  assert.deepEqual(facts(await stopOf(outside.uuid)), ['signal', 'host', 137, 'SIGKILL'])

  const asked = await client.run()
  await client.expect(202, 'POST', `/v1/containers/${asked.uuid}/stop`)
  const stopped = await stopOf(asked.uuid)
  assert.deepEqual(facts(stopped), ['stopped', 'user', 0, null])
  const [stop] = (await history(asked.uuid)).actions
  assert.deepEqual([stop?.action, stop?.request_id], ['stop', stopped.request_id])

  const hungry = await client.run({ memory: '16', command: ['sh', '-c', 'sleep 1; tail /dev/zero'] })
  const oom = await stopOf(hungry.uuid)
  assert.deepEqual([oom.reason, oom.actor, oom.oom_killed, oom.exit_code], ['out_of_memory', 'host', true, 137])

  const broken = await client.expect<ContainerBody>(202, 'POST', '/v1/containers?run=true', {
    body: { image: 'busybox', image_pull_policy: 'never', command: ['/no/such/program'] },
  })
  const failed = await stopOf(broken.uuid)
  assert.deepEqual([failed.reason, failed.actor], ['start_failed', 'host'])
  assert.match(failed.message ?? '', /no such file/)
  for (const { uuid } of [itself, outside, asked, hungry, broken]) await client.delete(uuid, '')
})

test('a kill that the program heeds late is still told as a kill', async () => {
  const late = await client.run({ command: ['sh', '-c', 'trap "sleep 1; exit 5" TERM; sleep 1000 & wait'] })
  await client.expect(202, 'POST', `/v1/containers/${late.uuid}/kill?signal=SIGTERM`)
  const stop = await stopOf(late.uuid)
  assert.deepEqual(facts(stop), ['killed', 'user', 5, 'SIGTERM'])
  const [kill] = (await history(late.uuid)).actions
  assert.deepEqual([kill?.action, kill?.request_id], ['kill', stop.request_id])
  await client.delete(late.uuid, '')
})

test('restart policies are the engine’s, and each end is known', async () => {
  const flaky = await client.expect<ContainerBody>(202, 'POST', '/v1/containers?run=true', {
    body: {
      image: 'busybox',
      image_pull_policy: 'never',
      restart_policy: { Name: 'on-failure', MaximumRetryCount: '2' },
      command: ['sh', '-c', 'exit 3'],
    },
  })
  const ended = await client.waitFor(flaky.uuid, (c) => c.status === 'Stopped')
  assert.equal((await inspect(ended.uuid)).RestartCount, 2)
  const { stops } = await history(flaky.uuid)
  assert.ok(stops.length >= 1 && stops.length <= 3, JSON.stringify(stops))
  for (const stop of stops) assert.deepEqual(facts(stop), ['exited', 'container', 3, null])

  const stubborn = await client.run({ restart_policy: { Name: 'always', MaximumRetryCount: '0' } })
  const earlier = (await inspect(stubborn.uuid)).State.Pid
  process.kill(earlier, 'SIGKILL')
  assert.deepEqual(facts(await stopOf(stubborn.uuid)), ['signal', 'host', 137, 'SIGKILL'])
  const again = await client.waitFor(stubborn.uuid, (c) => c.status === 'Running')
  assert.notEqual((await inspect(again.uuid)).State.Pid, earlier)
  // A stop that was asked for is not undone by the policy.
  await client.expect(202, 'POST', `/v1/containers/${stubborn.uuid}/stop`)
  await client.waitFor(stubborn.uuid, (c) => c.status === 'Stopped')
  assert.equal((await inspect(stubborn.uuid)).State.Status, 'exited')

  for (const [name, count] of [
    ['no', 0],
    ['unless-stopped', 0],
  ] as const) {
    const made = await client.run({ restart_policy: { Name: name } })
    assert.deepEqual((await inspect(made.uuid)).HostConfig.RestartPolicy, { Name: name, MaximumRetryCount: count })
    await client.delete(made.uuid)
  }
  for (const { uuid } of [flaky, stubborn]) await client.delete(uuid, '')
})

test('auto_remove: when it ends its record goes, and why it ended stays known', async () => {
  const brief = await client.run({ auto_remove: true, command: ['sh', '-c', 'sleep 1; exit 7'] })
  assert.equal((await inspect(brief.uuid)).HostConfig.AutoRemove, true)
  await client.waitGone(brief.uuid)
  const past = await history(brief.uuid)
  assert.notEqual(past.deleted_at, null)
  assert.deepEqual(past.stops.map(facts), [['exited', 'container', 7, null]])

  for (const code of [3, 0, 4]) {
    const body = {
      image: 'busybox',
      image_pull_policy: 'never',
      auto_remove: true,
      command: ['sh', '-c', `exit ${code}`],
    }
    const { uuid } = await client.expect<ContainerBody>(202, 'POST', '/v1/containers?run=true', { body })
    await client.waitGone(uuid)
    const { stops, actions } = await history(uuid)
    assert.deepEqual(stops.map(facts), [['exited', 'container', code, null]])
    assert.deepEqual(
      actions.map(({ action, state }) => [action, state]),
      [
        ['delete', 'succeeded'],
        ['create', 'succeeded'],
      ],
    )
  }

  const stopped = await client.run({ auto_remove: true })
  await client.expect(202, 'POST', `/v1/containers/${stopped.uuid}/stop`)
  await client.waitGone(stopped.uuid)
  const [stop] = (await history(stopped.uuid)).stops
  assert.deepEqual([stop?.reason, stop?.actor], ['stopped', 'user'])
})

test('auto_heal: what the engine has lost is made anew, and runs again if it ran', async () => {
  const healed = await client.run({ auto_heal: true, command: ['sh', '-c', 'trap "exit 0" TERM; sleep 1000 & wait'] })
  const earlier = (await inspect(healed.uuid)).Id
  await zund.engine.remove(engineName(healed.uuid))
  await until('it is made anew', async () => (await history(healed.uuid)).actions[0]?.action === 'rebuild')
  const again = await client.waitFor(healed.uuid, (c) => c.status === 'Running' && c.task_state === null)
  assert.notEqual((await inspect(again.uuid)).Id, earlier)
  assert.deepEqual(again.addresses, healed.addresses)
  const { actions } = await history(healed.uuid)
  assert.deepEqual(
    actions.map(({ action, state }) => [action, state]),
    [
      ['rebuild', 'succeeded'],
      ['create', 'succeeded'],
    ],
  )

  await client.expect(202, 'POST', `/v1/containers/${healed.uuid}/stop`)
  await client.waitFor(healed.uuid, (c) => c.status === 'Stopped')
  await zund.engine.remove(engineName(healed.uuid))
  await until('a stopped one is made anew, too', async () => (await history(healed.uuid)).actions.length === 4)
  const created = await client.waitFor(healed.uuid, (c) => c.status === 'Created' && c.task_state === null)
  assert.equal((await inspect(created.uuid)).State.Status, 'created')

  const lost = await client.run()
  await zund.engine.remove(engineName(lost.uuid))
  const gone = await until('it is in Error', async () => {
    const shown = await client.show(lost.uuid)
    return shown.status === 'Error' ? shown : undefined
  })
  assert.match(gone.status_reason ?? '', /No such container/)
  await client.delete(lost.uuid, '')
  await client.delete(healed.uuid, '')
})

test('a healthcheck is given to the engine, and resize, rename and rebuild change what they should and nothing else', async () => {
  const made = await client.run({
    name: 'first-name',
    memory: '64',
    cpu: 0.5,
    healthcheck: { cmd: 'test -d /tmp', interval: '30', retries: '4', timeout: '5' },
  })
  const earlier = await inspect(made.uuid)
  assert.deepEqual(earlier.Config.Healthcheck, {
    Test: ['CMD-SHELL', 'test -d /tmp'],
    Interval: 30e9,
    Timeout: 5e9,
    Retries: 4,
  })
  await client.expect(202, 'POST', `/v1/containers/${made.uuid}/resize_container`, {
    body: { memory: '96', cpu: 0.75 },
  })
  const resized = await client.waitFor(made.uuid, (c) => c['memory'] === '96' && c.task_state === null)
  assert.deepEqual([resized.status, resized['cpu']], ['Running', 0.75])
  const grown = await inspect(made.uuid)
  assert.deepEqual([grown.HostConfig.Memory, grown.HostConfig.CpuShares], [96 * 1024 * 1024, 768])
  assert.equal(grown.State.Pid, earlier.State.Pid, 'it went on running')

  await client.expect(200, 'POST', `/v1/containers/${made.uuid}/rename?name=second-name`, { version: '1.13' })
  assert.equal((await client.show('second-name')).uuid, made.uuid)
  assert.equal((await client.call('GET', '/v1/containers/first-name')).status, 404)
  assert.equal((await inspect(made.uuid)).Id, earlier.Id)

  await client.expect(202, 'POST', `/v1/containers/${made.uuid}/rebuild`)
  const rebuilt = await client.waitFor(made.uuid, (c) => c.status === 'Running' && c.task_state === null)
  const later = await inspect(made.uuid)
  assert.notEqual(later.Id, earlier.Id)
  assert.deepEqual([rebuilt.name, rebuilt.addresses], ['second-name', made.addresses])
  assert.deepEqual([later.HostConfig.Memory, later.HostConfig.CpuShares], [96 * 1024 * 1024, 768])
  assert.deepEqual(later.Config.Healthcheck, earlier.Config.Healthcheck)
  const [stop] = (await history(made.uuid)).stops
  assert.deepEqual([stop?.reason, stop?.actor], ['rebuilt', 'user'])
  await client.delete(made.uuid)
})
