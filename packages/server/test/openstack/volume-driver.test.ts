/** The volume driver of a host against the block storage service itself, whose backend is NFS, with real mounts. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { ProcessCommand } from '../../src/adapters/host-command/process-command.ts'
import { Cinder } from '../../src/adapters/openstack/cinder.ts'
import type { OpenStackSession } from '../../src/adapters/openstack/session.ts'
import { Attachments } from '../../src/adapters/volume/cinder/attachments.ts'
import { CinderVolumes } from '../../src/adapters/volume/cinder/cinder-volumes.ts'
import { HostRecords } from '../../src/adapters/volume/cinder/host-records.ts'
import { Connectors } from '../../src/adapters/volume/connectors/index.ts'
import { LoopDevices } from '../../src/adapters/volume/connectors/loop-devices.ts'
import { connectorProperties } from '../../src/adapters/volume/connectors/properties.ts'
import { HostMounts } from '../../src/adapters/volume/host-mounts.ts'
import { SystemFault, UserFault } from '../../src/domain/errors.ts'
import { systemClock } from '../../src/lib/system-clock.ts'
import type { MountData } from '../../src/orchestration/ports/wire.ts'
import { cloudSession } from '../support/cloud-session.ts'
import { quietLog } from '../support/quiet-log.ts'
import { until } from '../support/until.ts'
import { CloudUser } from './support/cloud-user.ts'

const o = { signal: AbortSignal.timeout(300_000) }
const HOST = 'zund-volume-test'
const command = new ProcessCommand()
const mounts = new HostMounts(command)

let session: OpenStackSession
let demo: CloudUser
let directory: string
let volumes: CinderVolumes
let held: MountData[] = []
const made: string[] = []

before(async () => {
  session = cloudSession()
  demo = await CloudUser.login('demo')
})

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'zund-cinder-')))
  volumes = driver()
})

afterEach(async () => {
  for (const mount of held) await volumes.detach(mount, false, o)
  held = []
  assert.deepEqual(await leftovers(), [], 'nothing of it stays on the host')
  rmSync(directory, { recursive: true, force: true })
})

after(async () => {
  for (const id of made) {
    await until(`volume ${id} is gone`, async () => {
      const { status } = await demo.call('volumev3', 'DELETE', `/volumes/${id}`)
      return status === 404
    })
  }
  session.close()
})

function driver(patch: { fstype?: string; availableTimeoutMs?: number } = {}): CinderVolumes {
  return new CinderVolumes({
    attachments: new Attachments({
      cinder: new Cinder(session),
      clock: systemClock,
      properties: () => connectorProperties({ host: HOST, ip: '127.0.0.1', multipath: false }),
      availableTimeoutMs: patch.availableTimeoutMs ?? 60_000,
      deletedTimeoutMs: 60_000,
    }),
    connectors: new Connectors({ command, mounts, directory, multipath: false }),
    records: new HostRecords(join(directory, 'records')),
    command,
    mounts,
    log: quietLog,
    directory: join(directory, 'mnt'),
    fstype: patch.fstype ?? 'ext4',
    remount: true,
  })
}

/** Mounts, loop devices and records of this test's directory. */
async function leftovers(): Promise<string[]> {
  const mounted = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.startsWith(`${directory}/`))
  const loops = (await new LoopDevices(command).all(o)).filter(({ file }) => file.startsWith(directory))
  const records = readdirSync(directory).includes('records') ? readdirSync(join(directory, 'records')) : []
  return [...mounted, ...loops.map(({ file }) => file), ...records]
}

async function aVolume(patch: object = {}): Promise<string> {
  const body = { volume: { size: 1, name: 'zund-test', ...patch } }
  const { volume } = await demo.post<{ volume: { id: string } }>('volumev3', '/volumes', body)
  made.push(volume.id)
  return volume.id
}

interface Seen {
  readonly status: string
  readonly attachments: readonly { readonly server_id: string }[]
}

async function see(id: string): Promise<Seen> {
  return (await demo.get<{ volume: Seen }>('volumev3', `/volumes/${id}`)).volume
}

async function becomes(id: string, status: string): Promise<void> {
  await until(`volume ${id} is ${status}`, async () => (await see(id)).status === status)
}

function mountOf(volumeUuid: string, patch: Partial<MountData> = {}): MountData {
  const mount: MountData = {
    kind: 'mount',
    volumeUuid,
    provider: 'block-storage',
    destination: '/data',
    sizeGiB: 1,
    contents: null,
    autoRemove: false,
    attachment: { holder: randomUUID(), id: null },
    ...patch,
  }
  held.push(mount)
  return mount
}

async function write(id: string, path: string, content: string): Promise<void> {
  writeFileSync(join(path, id), content)
}

test('a volume is formatted at its first use, keeps its data, and is in use as long as it is attached', async () => {
  const id = await aVolume()
  const first = mountOf(id)
  // It may still be in the making: that is waited for.
  const { source, data } = await volumes.attach(first, o)
  assert.equal(source, join(directory, 'mnt', id))
  assert.equal(data?.attachment?.holder, first.attachment?.holder)
  const { status, attachments } = await see(id)
  assert.deepEqual([status, attachments.map(({ server_id: server }) => server)], ['in-use', [first.attachment?.holder]])
  await write(id, source, 'kept')
  // Once more changes nothing.
  const again = await volumes.attach(first, o)
  assert.deepEqual(again.data, data)
  assert.equal((await see(id)).attachments.length, 1)
  await volumes.detach(data ?? first, false, o)
  assert.deepEqual(await leftovers(), [])
  await becomes(id, 'available')
  await volumes.detach(first, false, o)
  const second = mountOf(id)
  const other = await volumes.attach(second, o)
  assert.equal(readFileSync(join(other.source, id), 'utf8'), 'kept')
})

test('a volume that goes with its container is deleted, and that may be repeated', async () => {
  const id = await aVolume()
  const mount = mountOf(id, { autoRemove: true })
  await volumes.attach(mount, o)
  await volumes.detach(mount, true, o)
  assert.equal((await demo.call('volumev3', 'GET', `/volumes/${id}`)).status, 404)
  await volumes.detach(mount, true, o)
})

test('a volume that somebody else has is refused by name, and one that never gets ready in time', async () => {
  const id = await aVolume()
  await volumes.attach(mountOf(id), o)
  const impatient = driver({ availableTimeoutMs: 1_500 })
  await assert.rejects(
    impatient.attach(mountOf(id), o),
    (error) =>
      error instanceof UserFault &&
      /did not reach available status after 1\.5 seconds/.test(error.message) &&
      error.message.includes(id),
  )
  await assert.rejects(volumes.attach(mountOf(randomUUID()), o), { code: 'volume.not_found' })
  assert.equal((await see(id)).attachments.length, 1)
})

test('a volume with data but no file system is left as it is, and so is one with partitions', async () => {
  const id = await aVolume()
  await becomes(id, 'available')
  const share = new Connectors({ command, mounts, directory, multipath: false }).of('nfs')
  const connection = {
    type: 'nfs',
    data: { export: '127.0.0.1:/export', name: `volume-${id}`, format: 'raw' },
    readOnly: false,
  }
  const connected = { volumeId: id, connection, signal: o.signal }
  const withDevice = async (work: (device: string) => Promise<void>): Promise<void> => {
    await work(await share.connect(connected))
    await share.disconnect(connected)
  }
  const put = (bytes: Buffer, at: number) =>
    withDevice(async (device) => {
      await using file = await open(device, 'r+')
      await file.write(bytes, 0, bytes.length, at)
      await file.sync()
    })
  const refused = (why: RegExp) => (error: unknown) =>
    error instanceof UserFault && error.code === 'volume.not_mountable' && why.test(error.message)
  for (const at of [4_096, 2 ** 30 - 10]) {
    await put(Buffer.from('precious'), at)
    const mount = mountOf(id)
    await assert.rejects(volumes.attach(mount, o), refused(/not empty/))
    await volumes.detach(mount, false, o)
    await withDevice(async (device) => {
      const read = await command.run('dd', [`if=${device}`, 'bs=1', `skip=${at}`, 'count=8', 'status=none'], o)
      assert.equal(read.stdout, 'precious')
    })
    await put(Buffer.alloc(8), at)
  }
  await put(aPartitionTable(), 0)
  await assert.rejects(volumes.attach(mountOf(id), o), refused(/partition table \(dos\)/))
})

/** With one partition of Linux. */
function aPartitionTable(): Buffer {
  const sector = Buffer.alloc(512)
  sector.writeUInt8(0x83, 446 + 4)
  sector.writeUInt32LE(2_048, 446 + 8)
  sector.writeUInt32LE(100_000, 446 + 12)
  sector.writeUInt16LE(0xaa55, 510)
  return sector
}

test('a file system that is there is mounted as what it is', async () => {
  const id = await aVolume()
  const first = mountOf(id)
  const { source } = await driver({ fstype: 'xfs' }).attach(first, o)
  await write(id, source, 'of xfs')
  await volumes.detach(first, false, o)
  const second = await volumes.attach(mountOf(id), o)
  assert.equal(readFileSync(join(second.source, id), 'utf8'), 'of xfs')
})

test('what a crash has left half attached is finished by the next life, or goes with the container', async () => {
  const id = await aVolume()
  await becomes(id, 'available')
  const cinder = new Cinder(session)
  const mount = mountOf(id)
  const holder = mount.attachment?.holder ?? ''
  // Reserved, and nothing else.
  await cinder.attach(id, holder, {}, o).catch(() => undefined)
  const { source } = await volumes.attach(mount, o)
  await write(id, source, 'kept')
  assert.equal((await see(id)).attachments.length, 1)
  // The host starts anew: mounts and devices are gone.
  await mounts.unmount(source, false, o)
  await new LoopDevices(command).detach(await fileOf(id), o)
  await command.run('umount', [join(directory, 'mnt')], o)
  assert.deepEqual(readdirSync(join(directory, 'mnt')), [])
  volumes = driver()
  await volumes.restore({ isStart: true }, o.signal)
  assert.equal(readFileSync(join(source, id), 'utf8'), 'kept')
  // Its container has gone meanwhile.
  await driver().detach(mount, false, o)
  assert.deepEqual(await leftovers(), [])
  await becomes(id, 'available')
})

async function fileOf(id: string): Promise<string> {
  const found = (await new LoopDevices(command).all(o)).find(({ file }) => file.endsWith(`volume-${id}`))
  assert.ok(found)
  return found.file
}

test('an unknown kind of storage is named, with those there are', async () => {
  const connectors = new Connectors({ command, mounts, directory, multipath: false })
  assert.throws(
    () => connectors.of('sheepdog'),
    (error) => error instanceof SystemFault && /sheepdog.*nfs, glusterfs, iscsi, rbd, local/.test(error.message),
  )
})
