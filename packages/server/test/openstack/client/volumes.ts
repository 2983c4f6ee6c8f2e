/** Volumes of Cinder, by the client of containers and capsules. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { file, gone, running } from '../../client/capsules.ts'
import { PATIENT, type Stage } from '../../client/stage.ts'
import { until } from '../../support/until.ts'
import type { CloudPlace } from '../support/client-place.ts'
import { portsOfDevice } from '../support/ports.ts'
import { holdersOf, makeVolume, showVolume, volumesOf, dropVolume } from '../support/volumes.ts'

export function volumesTests(stage: Stage, place: CloudPlace): void {
  const free = async (id: string): Promise<void> => {
    await until('the volume is free', async () => (await showVolume(place.cloud.demo, id)).status === 'available')
  }

  it('a volume is mounted by its name or its id, keeps its data, and is free again', async () => {
    const { demo } = stage
    const owner = place.cloud.demo
    const id = await makeVolume(owner, 'diary')
    place.atClear(async () => dropVolume(owner, id))
    const { uuid } = await stage.running('writer', '--mount source=diary,destination=/data')
    assert.deepEqual(await holdersOf(owner, id), [uuid])
    assert.equal((await showVolume(owner, id)).status, 'in-use')
    await demo.ok('appcontainer exec writer', 'sh', '-c', 'echo dear diary > /data/page')
    const taken = await demo.refused(`appcontainer create --mount source=${id},destination=/data ${stage.busybox}`)
    assert.match(taken, new RegExp(`in use by ${uuid}.*\\(HTTP 400\\)`))
    await demo.ok('appcontainer rebuild writer')
    await stage.settled('writer', 'Running')
    assert.equal(await demo.ok('appcontainer exec writer cat /data/page'), 'dear diary\n\n')
    await demo.ok('appcontainer delete --stop writer')
    await stage.api.waitGone(uuid)
    await free(id)
    await demo.ok(
      `appcontainer run --name reader --mount source=${id},destination=/data ${stage.busybox}`,
      'cat',
      '/data/page',
    )
    await stage.settled('reader', 'Stopped')
    assert.equal(await demo.ok('appcontainer logs reader'), 'dear diary\n\n')
    await demo.ok('appcontainer delete reader')
    await stage.api.waitGone('reader')
    await free(id)
  })

  it('a mount with a size is a new volume that goes with its container', async () => {
    const { demo } = stage
    const { uuid } = await stage.running('roomy', '--mount size=2,destination=/scratch')
    const made = await volumesOf(place.cloud.demo)
    const own = made.filter(({ attachments }) => attachments.some((one) => one.server_id === uuid))
    assert.deepEqual(
      own.map(({ size, status }) => [size, status]),
      [[2, 'in-use']],
    )
    await demo.ok('appcontainer exec roomy touch /scratch/file')
    await demo.ok('appcontainer delete --stop roomy')
    await stage.api.waitGone(uuid)
    await until('it is gone', async () => (await volumesOf(place.cloud.demo)).every(({ id }) => id !== own[0]?.id))
  })

  it('a capsule has a port of Neutron and volumes of Cinder, one of which goes with it', async () => {
    const { demo } = stage
    const owner = place.cloud.demo
    const id = await makeVolume(owner, 'shelf')
    place.atClear(async () => dropVolume(owner, id))
    const others = await volumesOf(owner)
    const member = {
      image: 'busybox',
      command: PATIENT,
      ports: [{ containerPort: 80 }],
      volumeMounts: [
        { name: 'shelf', mountPath: '/shelf' },
        { name: 'scratch', mountPath: '/scratch' },
      ],
    }
    const volumes = [
      { name: 'shelf', cinder: { volumeID: id } },
      { name: 'scratch', cinder: { size: 1, autoRemove: true } },
    ]
    const spec = { containers: [member, { image: 'busybox', command: PATIENT }], volumes }
    const text = JSON.stringify({ kind: 'capsule', metadata: { name: 'pod' }, spec })
    await demo.ok(`capsule create --file ${file(stage, 'pod.json', text)}`)
    const { uuid, addresses } = await running(stage, 'pod')
    const [port, ...morePorts] = await portsOfDevice(place.cloud.admin, uuid)
    assert.deepEqual(morePorts, [])
    assert.match(addresses, /^10\.20\.0\.\d+$/)
    assert.deepEqual(await holdersOf(owner, id), [uuid])
    const scratch = (await volumesOf(owner)).filter((one) => others.every((other) => other.id !== one.id))
    assert.deepEqual(
      scratch.map(({ size, status }) => [size, status]),
      [[1, 'in-use']],
    )
    await demo.ok('capsule delete pod')
    await gone(stage, 'pod')
    await free(id)
    assert.deepEqual(await portsOfDevice(place.cloud.admin, uuid), [])
    assert.ok(port !== undefined)
    await until('what was made for it is gone', async () => (await volumesOf(owner)).length === others.length)
  })
}
