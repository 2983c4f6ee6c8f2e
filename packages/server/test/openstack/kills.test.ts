/**
 * kill -9 of the service at every point that a create and a delete pass, with all that a container can have of a cloud:
 * image, ports that are made and brought, a security group, volumes that are made and brought, an allocation. The next
 * life finishes it, with one of each; after the delete nothing is left, and the data of the volume that was brought are.
 */
import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { recipeFor } from '../../src/domain/operation/recipes.ts'
import { OBEDIENT } from '../support/api-client.ts'
import { cloudTests, type CloudStage } from './support/cloud-stage.ts'
import type { CloudState } from './support/cloud-state.ts'
import { Deaths } from './support/deaths.ts'
import { makePort, portsOfDevice } from './support/ports.ts'
import { dropVolume, makeVolume, volumesOf } from './support/volumes.ts'

const HOLDS = { ports: 2, remotePorts: 2, mounts: 2, isCounted: true }

/** Before a step the world is as after the one before it, so that is not tried twice. */
const within = (steps: readonly string[]): string[] =>
  steps.flatMap((step) => [`step:${step}:journaled`, `step:${step}:applied`])

/** The request is lost. With the second transaction it is accepted; the first notes that a volume is going to be made. */
const UNACCEPTED = ['accept:before', 'accept:after', 'accept:before 2']
const OF_CREATE = [
  ...UNACCEPTED,
  'accept:after 2',
  ...within(recipeFor('create', { run: true }, HOLDS)),
  'finish:create:before',
  'finish:create:after',
]
const OF_DELETE = [
  'accept:before',
  'accept:after',
  ...within(recipeFor('delete', { stopFirst: true }, HOLDS)),
  'finish:delete:before',
  'finish:delete:after',
]

cloudTests('a cloud and a service that is killed', (stage) => {
  describe('kill -9 of the service', () => deadly(stage))
})

function deadly(stage: CloudStage): void {
  let deaths: Deaths
  let volume = ''
  let port = ''
  /** Without a container. */
  let empty: CloudState

  before(async () => {
    volume = await makeVolume(stage.demo, 'zund-kills')
    port = await makePort(stage.demo, 'shared-net')
    const { uuid } = await stage.running({ mounts: [{ source: volume, destination: '/data' }] })
    await stage.shell(uuid, 'echo kept > /data/file')
    await stage.api().delete(uuid)
    empty = await stage.state()
    deaths = await Deaths.of(stage.zund)
  })
  after(async () => {
    await dropVolume(stage.demo, volume)
    await stage.demo.delete('network', `/v2.0/ports/${port}`)
  })

  const create = async (): Promise<unknown> => {
    await forgetImages(stage)
    const body = {
      name: 'killed',
      image: 'busybox',
      image_driver: 'glance',
      command: OBEDIENT,
      nets: [{ network: 'demo-net' }, { port }],
      exposed_ports: { '80/tcp': {} },
      mounts: [
        { source: 'zund-kills', destination: '/data' },
        { size: 1, destination: '/own' },
      ],
    }
    return await stage.api().call('POST', '/v1/containers?run=true', { body })
  }
  const remove = async (): Promise<unknown> => await stage.api().call('DELETE', '/v1/containers/killed?stop=true')
  const status = async (): Promise<number> => (await stage.api().call('GET', '/v1/containers/killed')).status

  it('at the points that are passed, all of which are tried', async () => {
    const file = join(stage.zund.stateDir, 'points')
    await stage.zund.stop()
    await stage.zund.up({ ZUND_LIST_POINTS: file })
    await create()
    await assertWhole(stage, { volume, port })
    await remove()
    await stage.api().waitGone('killed')
    deaths = await Deaths.of(stage.zund)
    const passed = readFileSync(file, 'utf8').trim().split('\n')
    rmSync(file)
    const tried = [...OF_CREATE, ...OF_DELETE].map((point) => point.replace(' 2', ''))
    assert.deepEqual(
      passed.filter((point) => !/^step:.*:before$/.test(point)),
      tried,
    )
  })

  for (const [i, atCreate] of OF_CREATE.entries()) {
    const atDelete = OF_DELETE[i]
    it(`in a create at ${atCreate}${atDelete === undefined ? '' : `, in a delete at ${atDelete}`}`, async () => {
      await deaths.at(atCreate, create, () => age(stage))
      if (UNACCEPTED.includes(atCreate)) {
        assert.equal(await status(), 404)
        await stage.assertAsIn(empty)
        await create()
      }
      await assertWhole(stage, { volume, port })
      if (atDelete === undefined) await remove()
      else await deaths.at(atDelete, remove)
      if (atDelete === 'accept:before') {
        await assertWhole(stage, { volume, port })
        await remove()
      }
      await stage.api().waitGone('killed')
      await stage.assertAsIn(empty)
    })
  }
}

/** The container runs, and has everything once. */
async function assertWhole(stage: CloudStage, brought: { volume: string; port: string }): Promise<void> {
  const { admin, demo } = stage
  const { uuid } = await stage
    .api()
    .waitFor('killed', (found) => found.status === 'Running' && found.task_state === null)
  assert.equal(await stage.shell(uuid, 'cat /data/file && echo own > /own/file'), 'kept\n')
  const { containerActions: actions } = await stage
    .api()
    .expect<{ containerActions: { action: string; finish_time: string | null; message: string | null }[] }>(
      200,
      'GET',
      `/v1/containers/${uuid}/container_actions`,
    )
  assert.deepEqual(
    actions.map(({ action, finish_time: finished, message }) => [action, finished !== null, message]),
    [['create', true, null]],
  )
  const ports = await portsOfDevice(admin, uuid)
  assert.equal(new Set(ports.map(({ network_id: network }) => network)).size, 2)
  assert.deepEqual([ports.length, ports.some(({ id }) => id === brought.port)], [2, true])
  const volumes = await volumesOf(demo)
  assert.deepEqual(
    volumes.map(({ status, attachments }) => [status, ...attachments.map(({ server_id: holder }) => holder)]),
    [
      ['in-use', uuid],
      ['in-use', uuid],
    ],
  )
  const { 'security groups': groups = [], allocations = [], attachments = [] } = await stage.state()
  const { security_groups: own } = await admin.get<{ security_groups: { id: string }[] }>(
    'network',
    `/v2.0/security-groups?name=zun-${uuid}`,
  )
  assert.equal(groups.filter((line) => own.some(({ id }) => line.startsWith(id))).length, 1)
  assert.deepEqual([allocations.includes(uuid), attachments.length], [true, 2])
}

/** What was made for a request that nobody has accepted goes when that is surely over: as if it were. */
function age({ zund }: CloudStage): void {
  const database = new DatabaseSync(join(zund.stateDir, 'zund.sqlite'), { timeout: 5_000 })
  database.exec(`UPDATE advance SET created_at = created_at - ${60 * 60_000}`)
  database.close()
}

/** So that the next create has to get its own. */
async function forgetImages({ zund: { engine } }: CloudStage): Promise<void> {
  for (const { RepoTags: tags } of await engine.api<{ RepoTags: string[] | null }[]>('GET', '/images/json')) {
    const name = tags?.find((tag) => tag.startsWith('zund.local/images/'))
    if (name !== undefined) await engine.api('DELETE', `/images/${encodeURIComponent(name)}`)
  }
}
