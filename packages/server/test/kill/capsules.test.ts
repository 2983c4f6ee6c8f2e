/** kill -9 of the whole service while a capsule is made or deleted on a real engine; all points are in the crash suite. */
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { CapsuleStage, WAITS, type CapsuleBody } from '../support/capsule-stage.ts'
import { until } from '../support/until.ts'
import { ZundProcess } from '../support/zund-process.ts'

const SPEC = {
  initContainers: [
    {
      image: 'busybox',
      imagePullPolicy: 'never',
      command: ['sh', '-c', 'sleep 1; echo ran >> /w/log'],
      volumeMounts: [{ name: 'work', mountPath: '/w' }],
    },
  ],
  containers: [{ ...WAITS, volumeMounts: [{ name: 'work', mountPath: '/w' }] }, WAITS],
  volumes: [{ name: 'work', cinder: { size: 1, autoRemove: true } }],
}

let zund: ZundProcess
before(async () => {
  zund = await ZundProcess.start()
})
after(() => zund.destroy())

/** The next life of the service dies at this point; `act` may be cut off by it. */
async function killedAt(point: string, act: (stage: CapsuleStage) => Promise<unknown>): Promise<CapsuleStage> {
  const file = join(zund.stateDir, 'kill-at')
  await zund.stop()
  await zund.up({ ZUND_KILL_FILE: file })
  const stage = await CapsuleStage.on(zund)
  writeFileSync(file, point)
  await act(stage).catch(() => undefined)
  await zund.ended()
  stage.close()
  rmSync(file)
  await zund.up()
  return await CapsuleStage.on(zund)
}

async function theOne(stage: CapsuleStage): Promise<CapsuleBody> {
  const { capsules } = await stage.client.expect<{ capsules: readonly CapsuleBody[] }>(200, 'GET', '/v1/capsules')
  assert.equal(capsules.length, 1)
  assert.ok(capsules[0])
  return capsules[0]
}

async function assertNothingLeft(stage: CapsuleStage): Promise<void> {
  assert.deepEqual(await stage.engineHas(), [])
  assert.ok(!readFileSync('/proc/mounts', 'utf8').includes(zund.stateDir), 'a mount is left')
}

for (const point of ['step:startContainer:applied', 'step:runInitMembers:journaled', 'step:startMembers:applied']) {
  it(`a create killed at ${point} is finished, and no init container has run twice`, async () => {
    const stage = await killedAt(point, (doomed) => doomed.create(SPEC))
    try {
      const { uuid } = await theOne(stage)
      const { containers, init_containers } = await stage.waitFor(uuid, ({ status }) => status === 'Running')
      assert.deepEqual(
        [...containers, ...init_containers].map(({ status }) => status),
        ['Running', 'Running', 'Stopped'],
      )
      const [first] = containers
      assert.ok(first)
      assert.equal(await stage.exec(first, ['cat', '/w/log']), 'ran\n')
      const wanted = [uuid, ...[...containers, ...init_containers].map((member) => member.uuid)]
      assert.deepEqual((await stage.engineHas()).toSorted(), wanted.map((one) => `zun-${one}`).toSorted())
      await stage.delete(uuid)
      await assertNothingLeft(stage)
    } finally {
      stage.close()
    }
  })
}

it('a delete killed in the middle is finished', async () => {
  const first = await CapsuleStage.on(zund)
  const { uuid } = await first.run(SPEC)
  first.close()
  const stage = await killedAt('step:removeMembers:applied', (doomed) =>
    doomed.client.call('DELETE', `/v1/capsules/${uuid}`),
  )
  try {
    await until('it is gone', async () => (await stage.client.call('GET', `/v1/capsules/${uuid}`)).status === 404)
    await assertNothingLeft(stage)
  } finally {
    stage.close()
  }
})
