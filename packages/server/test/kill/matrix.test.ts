/**
 * kill -9 of the whole service at every point that create, stop, start and delete pass, with the real engine. After each
 * death a new process is started on the same state, and the world must look as if nothing had happened.
 */
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { OBEDIENT, type ApiClient, type ContainerBody } from '../support/api-client.ts'
import { deploymentOf } from '../support/test-engine.ts'
import { ZundProcess } from '../support/zund-process.ts'

const BODY = {
  image: 'busybox',
  image_pull_policy: 'never',
  command: OBEDIENT,
  mounts: [{ size: 1, destination: '/data' }],
}

interface Scenario {
  readonly verb: string
  /** Makes what the request is about. */
  prepare(client: ApiClient): Promise<string>
  /** Sends the request; it may be cut off by the death of the process. Gives the name of the container. */
  request(client: ApiClient, name: string): Promise<unknown>
  /** True once nothing is left to be done. */
  isDone(found: ContainerBody | undefined): boolean
  /** True when the request was lost before it was accepted: the world is as it was. */
  isUntouched(found: ContainerBody | undefined): boolean
}

const runningOne = async (client: ApiClient): Promise<string> => (await client.run({ ...BODY, name: newName() })).name

const SCENARIOS: readonly Scenario[] = [
  {
    verb: 'create',
    prepare: async () => newName(),
    request: (client, name) => client.call('POST', '/v1/containers?run=true', { body: { ...BODY, name } }),
    isDone: (found) => found?.status === 'Running',
    isUntouched: (found) => found === undefined,
  },
  {
    verb: 'stop',
    prepare: runningOne,
    request: (client, name) => client.call('POST', `/v1/containers/${name}/stop?timeout=0`),
    isDone: (found) => found?.status === 'Stopped' && found.task_state === null,
    isUntouched: (found) => found?.status === 'Running',
  },
  {
    verb: 'start',
    prepare: async (client) => {
      const { name } = await client.run({ ...BODY, name: newName() })
      await client.call('POST', `/v1/containers/${name}/stop?timeout=0`)
      await client.waitFor(name, (found) => found.status === 'Stopped' && found.task_state === null)
      return name
    },
    request: (client, name) => client.call('POST', `/v1/containers/${name}/start`),
    isDone: (found) => found?.status === 'Running' && found.task_state === null,
    isUntouched: (found) => found?.status === 'Stopped',
  },
  {
    verb: 'delete',
    prepare: runningOne,
    request: (client, name) => client.call('DELETE', `/v1/containers/${name}?stop=true`),
    isDone: (found) => found === undefined,
    isUntouched: (found) => found?.status === 'Running',
  },
]

let count = 0
function newName(): string {
  count += 1
  return `kill-${count}`
}

describe('the service is killed at every point', () => {
  let zund: ZundProcess
  let deployment = ''

  before(async () => {
    zund = await ZundProcess.start()
    deployment = deploymentOf(join(zund.stateDir, 'zund.sqlite'))
  })
  after(() => zund.destroy())

  for (const scenario of SCENARIOS) {
    it(`${scenario.verb}: whatever the moment, the operation is finished by the next life or was never accepted`, async () => {
      const points = await pointsOf(scenario)
      assert.ok(points.length >= 5, `only ${points.join()} are passed`)
      for (const point of points) await killAt(scenario, point)
    })
  }

  /** Points that an uninterrupted run of the request passes, each once. */
  async function pointsOf(scenario: Scenario): Promise<string[]> {
    const name = await scenario.prepare(await zund.client())
    await zund.stop()
    rmSync(listFile(), { force: true })
    await zund.up({ ZUND_LIST_POINTS: listFile() })
    const client = await zund.client()
    await scenario.request(client, name)
    await settled(client, name, scenario)
    await zund.stop()
    await zund.up({ ZUND_KILL_FILE: killFile() })
    await cleanUp(name)
    return [...new Set(readFileSync(listFile(), 'utf8').trim().split('\n'))]
  }

  async function killAt(scenario: Scenario, point: string): Promise<void> {
    const armed = await zund.client()
    const name = await scenario.prepare(armed)
    writeFileSync(killFile(), point)
    const accepted = await scenario.request(armed, name).then(
      (answer) => (answer as { status: number }).status < 300,
      () => false,
    )
    await zund.ended()
    rmSync(killFile())
    await zund.up({ ZUND_KILL_FILE: killFile() })
    const client = await zund.client()
    const how = `${scenario.verb} killed at ${point}`
    if (point === 'accept:before') {
      const found = await lookUp(client, name)
      assert.ok(scenario.isUntouched(found), `${how}: it is ${found?.status} (${found?.status_reason})`)
    } else {
      assert.ok(accepted || point.startsWith('accept:'), `${how}: the request was not answered`)
      await settled(client, name, scenario, how)
      await assertWorld(client, name, how)
    }
    await cleanUp(name)
  }

  const listFile = (): string => join(zund.stateDir, 'points')
  const killFile = (): string => join(zund.stateDir, 'kill-at')

  async function settled(client: ApiClient, name: string, scenario: Scenario, how = scenario.verb): Promise<void> {
    const deadline = Date.now() + 40_000
    for (;;) {
      const found = await lookUp(client, name)
      if (scenario.isDone(found)) return
      assert.ok(found?.status !== 'Error', `${how}: ${found?.status_reason}`)
      assert.ok(Date.now() < deadline, `${how}: it stays ${found?.status} (${found?.task_state})`)
      await sleep(20)
    }
  }

  /** One engine container per record and none besides; each recorded action is finished and none failed. */
  async function assertWorld(client: ApiClient, name: string, how: string): Promise<void> {
    const found = await lookUp(client, name)
    const engine = await zund.engine.containers(deployment)
    assert.deepEqual(
      engine.map((container) => container.name),
      found === undefined ? [] : [`zun-${found.uuid}`],
      how,
    )
    if (found === undefined) return
    assert.equal(engine[0]?.state, found.status === 'Running' ? 'running' : 'exited', how)
    const { containerActions } = await client.expect<{
      containerActions: { action: string; finish_time: string | null; message: string | null }[]
    }>(200, 'GET', `/v1/containers/${name}/container_actions`)
    for (const action of containerActions) {
      assert.equal(action.message, null, `${how}: ${action.action} failed`)
      assert.notEqual(action.finish_time, null, `${how}: ${action.action} is not finished`)
    }
  }

  async function lookUp(client: ApiClient, name: string): Promise<ContainerBody | undefined> {
    const answer = await client.call('GET', `/v1/containers/${name}`)
    if (answer.status === 404) return undefined
    assert.equal(answer.status, 200, answer.text)
    return answer.body as ContainerBody
  }

  /** Nothing may be left of it: neither in the engine nor a volume's file or mount. */
  async function cleanUp(name: string): Promise<void> {
    const client = await zund.client()
    if ((await lookUp(client, name)) !== undefined) await client.delete(name)
    assert.deepEqual(await zund.engine.containers(deployment), [], `${name}: an engine container is left`)
    assert.ok(!readFileSync('/proc/mounts', 'utf8').includes(zund.stateDir), `${name}: a mount is left`)
  }
})
