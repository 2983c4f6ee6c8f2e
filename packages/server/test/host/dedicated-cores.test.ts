/** `cpu_policy` dedicated, on a real engine: which cores the processes of containers may really use. */
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { after, before, it } from 'node:test'
import { OBEDIENT, type ApiClient, type ContainerBody } from '../support/api-client.ts'
import { ZundProcess } from '../support/zund-process.ts'

/** The last core is for those that share, the others can be had. */
const FLOATING = availableParallelism() - 1
const SLEEPER = { image: 'busybox', image_pull_policy: 'never', command: OBEDIENT, memory: 16 }
const DEDICATED = { ...SLEEPER, cpu: 1, cpu_policy: 'dedicated' }

let zund: ZundProcess
let client: ApiClient
before(async () => {
  zund = await ZundProcess.start({
    conf: `[DEFAULT]\nfloating_cpu_set = ${FLOATING}\n[compute]\nenable_cpu_pinning = true\n[scheduler]\nenabled_filters = ComputeFilter,CpuSetFilter`,
  })
  client = await zund.client('zund-admin')
})
after(() => zund.destroy())

async function running(body: object): Promise<ContainerBody> {
  const { uuid } = await client.expect<ContainerBody>(202, 'POST', '/v1/containers?run=true', { body })
  return await client.waitFor(uuid, (c) => c.status === 'Running' && c.task_state === null)
}

/** As a process in it sees it, and as the engine was told. */
async function coresOf({ uuid }: ContainerBody) {
  const { output } = await client.expect<{ output: string }>(200, 'POST', `/v1/containers/${uuid}/execute`, {
    body: { command: 'cat /proc/self/status' },
  })
  const { HostConfig } = await zund.engine.api<{ HostConfig: { CpusetCpus: string; CpusetMems: string } }>(
    'GET',
    `/containers/zun-${uuid}/json`,
  )
  return { allowed: /^Cpus_allowed_list:\s*(\S+)/m.exec(output)?.[1], ...HostConfig }
}

async function cores(container: ContainerBody): Promise<string | undefined> {
  const { allowed, CpusetCpus } = await coresOf(container)
  assert.equal(allowed, CpusetCpus)
  return allowed
}

it('gives each a core of its own, keeps it through restart and rebuild, and gives it to another afterwards', async () => {
  const shared = await running(SLEEPER)
  const all: ContainerBody[] = []
  for (let n = 0; n < FLOATING; n += 1) all.push(await running(DEDICATED))
  const [first] = all
  assert.ok(first !== undefined, 'a machine with two cores')
  const given = await Promise.all(all.map(cores))
  assert.deepEqual(new Set(given), new Set(Array.from({ length: FLOATING }, (_, n) => String(n))))
  assert.equal((await coresOf(first)).CpusetMems, '0')
  assert.equal(await cores(shared), String(FLOATING), 'one that shares stays off the cores of others')

  const none = await client.expect<ContainerBody>(202, 'POST', '/v1/containers', { body: DEDICATED })
  assert.deepEqual(
    [none.status, none.status_reason],
    ['Error', 'There are not enough hosts available. (CpuSetFilter removed 1)'],
  )

  const mine = await cores(first)
  await client.expect(202, 'POST', `/v1/containers/${first.uuid}/reboot?timeout=0`)
  const rebooted = await client.waitFor(first.uuid, (c) => c.status === 'Running' && c.task_state === null)
  assert.equal(await cores(rebooted), mine)
  await client.expect(202, 'POST', `/v1/containers/${first.uuid}/rebuild`)
  const rebuilt = await client.waitFor(first.uuid, (c) => c.status === 'Running' && c.task_state === null)
  assert.equal(await cores(rebuilt), mine)

  const half = await client.call('PATCH', `/v1/containers/${first.uuid}`, { body: { cpu: 0.5 } })
  assert.equal(half.status, 400, half.text)
  const more = await client.call('PATCH', `/v1/containers/${first.uuid}`, { body: { cpu: 2 } })
  assert.equal(more.status, 409, more.text)
  assert.match(more.text, /Free cpuset_cpu 0 cores < requested 1 cores/)

  await client.delete(first.uuid)
  const next = await running(DEDICATED)
  assert.equal(await cores(next), mine)
})
