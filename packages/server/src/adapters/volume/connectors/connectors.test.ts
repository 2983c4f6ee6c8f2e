import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { Retryable, SystemFault } from '../../../domain/errors.ts'
import type { CommandOptions, CommandResult, HostCommand } from '../../host-command/host-command.ts'
import type { ConnectorCall } from './connector.ts'
import { HostMounts } from '../host-mounts.ts'
import { FileShare } from './file-share.ts'
import { Iscsi } from './iscsi.ts'
import { LocalDevice } from './local-device.ts'
import { LoopDevices } from './loop-devices.ts'
import { connectorProperties } from './properties.ts'
import { Rbd } from './rbd.ts'

const DONE: CommandResult = { exitCode: 0, stdout: '', stderr: '' }
type Answer = (line: string) => Partial<CommandResult> | undefined

/** Runs nothing, and keeps what it was asked to run. */
class Script implements HostCommand {
  readonly ran: string[] = []
  answer: Answer = () => undefined

  async run(program: string, args: readonly string[], { signal }: CommandOptions): Promise<CommandResult> {
    signal.throwIfAborted()
    const line = [program, ...args].join(' ')
    this.ran.push(line)
    return { ...DONE, ...this.answer(line) }
  }
}

const volumeId = '11111111-1111-4111-8111-111111111111'
let command: Script
let root: string

beforeEach(() => {
  command = new Script()
  root = mkdtempSync(join(tmpdir(), 'zund-root-'))
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

function call(type: string, data: Record<string, unknown>, readOnly = false): ConnectorCall {
  return { volumeId, connection: { type, data, readOnly }, signal: AbortSignal.timeout(20_000) }
}

function put(path: string, content = ''): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
}

const isBad = (error: unknown): boolean => error instanceof SystemFault && error.code === 'volume.bad_connection'

// --- iSCSI ------------------------------------------------------------------------------------------------------------

const IQN = 'iqn.2010-10.org.openstack:volume-1'
const target = { target_portal: '10.0.0.1:3260', target_iqn: IQN, target_lun: 1 }
const chap = { auth_method: 'CHAP', auth_username: 'ann', auth_password: 'secret' }
const node = (portal = '10.0.0.1:3260'): string => `iscsiadm -m node -T ${IQN} -p ${portal}`

/** A session to the target, and the device it gives once it has been scanned. */
function session(portal = '10.0.0.1:3260', name = 'sda', lun = 1): void {
  put('sys/class/iscsi_host/host3/device/session7/iscsi_session/session7/targetname', `${IQN}\n`)
  put('sys/class/scsi_host/host3/scan')
  put(`sys/block/${name}/device/delete`)
  put(`dev/${name}`)
  mkdirSync(join(root, 'dev/disk/by-path'), { recursive: true })
  symlinkSync(join(root, 'dev', name), join(root, `dev/disk/by-path/ip-${portal}-iscsi-${IQN}-lun-${lun}`))
}

function iscsi(multipath = false): Iscsi {
  return new Iscsi({ command, multipath, root, lookMs: 1 })
}

test('iSCSI: an unknown target is made known, logged in to, and only the LUN asked for is scanned', async () => {
  session()
  command.answer = (line) => (line === node() ? { exitCode: 21 } : undefined)
  assert.equal(await iscsi().connect(call('iscsi', { ...target, ...chap })), join(root, 'dev/sda'))
  assert.deepEqual(command.ran, [
    node(),
    `${node()} --interface default --op new`,
    `${node()} --op update -n node.session.scan -v manual`,
    `${node()} --op update -n node.session.auth.authmethod -v CHAP`,
    `${node()} --op update -n node.session.auth.username -v ann`,
    `${node()} --op update -n node.session.auth.password -v secret`,
    `${node()} --login`,
    `${node()} --op update -n node.startup -v automatic`,
  ])
  assert.equal(readFileSync(join(root, 'sys/class/scsi_host/host3/scan'), 'utf8'), '- - 1')
})

test('iSCSI: a session that is there is no error, another failure is told without the password', async () => {
  session()
  command.answer = (line) => (line.endsWith('--login') ? { exitCode: 15 } : undefined)
  await iscsi().connect(call('iscsi', target))
  command.answer = (line) => (line.endsWith('--login') ? { exitCode: 24, stderr: 'authorization failure' } : undefined)
  await assert.rejects(
    iscsi().connect(call('iscsi', { ...target, ...chap })),
    (error) =>
      error instanceof Retryable && /authorization failure/.test(error.message) && !error.message.includes('secret'),
  )
})

test('iSCSI: a portal that is away is passed over, and without a device it is an error', async () => {
  const lists = {
    target_portals: ['10.0.0.1:3260', '10.0.0.2:3260'],
    target_iqns: [IQN, IQN],
    target_luns: [1, 1],
  }
  session('10.0.0.2:3260', 'sdb')
  command.answer = (line) => (line.startsWith(node()) && line.endsWith('--login') ? { exitCode: 8 } : undefined)
  assert.equal(await iscsi().connect(call('iscsi', { ...target, ...lists })), join(root, 'dev/sdb'))
  unlinkSync(join(root, `dev/disk/by-path/ip-10.0.0.2:3260-iscsi-${IQN}-lun-1`))
  command.answer = () => undefined
  await assert.rejects(iscsi().connect(call('iscsi', target)), { code: 'volume.not_connected' })
})

test('iSCSI: over all paths, as the device of multipathd', async () => {
  const lists = {
    target_portals: ['10.0.0.1:3260', '10.0.0.2:3260'],
    target_iqns: [IQN, IQN],
    target_luns: [1, 1],
  }
  session('10.0.0.1:3260', 'sda')
  session('10.0.0.2:3260', 'sdb')
  const connected = call('iscsi', lists)
  await assert.rejects(iscsi(true).connect(connected), /multipathd has made no device/)
  for (const path of ['sda', 'sdb']) mkdirSync(join(root, `sys/block/${path}/holders/dm-4`), { recursive: true })
  put('sys/block/dm-4/dm/uuid', 'mpath-3600a098')
  assert.equal(await iscsi(true).connect(connected), join(root, 'dev/dm-4'))
  command.ran.splice(0)
  await iscsi(true).disconnect(connected)
  assert.deepEqual(command.ran.slice(0, 3), [
    `multipath -f ${join(root, 'dev/dm-4')}`,
    `blockdev --flushbufs ${join(root, 'dev/sda')}`,
    `blockdev --flushbufs ${join(root, 'dev/sdb')}`,
  ])
})

test('iSCSI: a disconnect flushes, deletes the device and logs out, unless another LUN is in use', async () => {
  session()
  symlinkSync(join(root, 'dev/sda'), join(root, `dev/disk/by-path/ip-10.0.0.1:3260-iscsi-${IQN}-lun-2`))
  await iscsi().disconnect(call('iscsi', target))
  assert.deepEqual(command.ran, [`blockdev --flushbufs ${join(root, 'dev/sda')}`])
  assert.equal(readFileSync(join(root, 'sys/block/sda/device/delete'), 'utf8'), '1')
  unlinkSync(join(root, `dev/disk/by-path/ip-10.0.0.1:3260-iscsi-${IQN}-lun-2`))
  command.ran.splice(0)
  await iscsi().disconnect(call('iscsi', target))
  assert.deepEqual(command.ran.slice(1), [`${node()} --logout`, `${node()} --op delete`])
  // Once more, of what is gone.
  unlinkSync(join(root, `dev/disk/by-path/ip-10.0.0.1:3260-iscsi-${IQN}-lun-1`))
  command.answer = () => ({ exitCode: 21 })
  await iscsi().disconnect(call('iscsi', target))
})

test('iSCSI: a device that cannot be flushed is not deleted', async () => {
  session()
  command.answer = (line) => (line.startsWith('blockdev') ? { exitCode: 1, stderr: 'input/output error' } : undefined)
  await assert.rejects(iscsi().disconnect(call('iscsi', target)), Retryable)
  assert.equal(readFileSync(join(root, 'sys/block/sda/device/delete'), 'utf8'), '')
  assert.equal(command.ran.length, 1)
})

test('what the volume service says is no argument before it has been looked at', async () => {
  for (const odd of [
    {},
    { ...target, target_iqn: '--login' },
    { ...target, target_portal: '10.0.0.1' },
    { ...target, target_lun: -1 },
    { ...target, target_lun: '1; reboot' },
  ]) {
    await assert.rejects(iscsi().connect(call('iscsi', odd)), isBad, JSON.stringify(odd))
  }
  for (const odd of [
    { ...image, name: 'volumes' },
    { ...image, name: '--pool/x' },
    { ...image, hosts: [] },
    { ...image, hosts: ['a b'], ports: ['1'] },
    { ...image, auth_username: '-x' },
  ]) {
    await assert.rejects(rbd().connect(call('rbd', odd)), isBad, JSON.stringify(odd))
  }
  for (const device_path of ['/etc/shadow', '/dev/../etc/shadow', '-x', '']) {
    await assert.rejects(new LocalDevice().connect(call('local', { device_path })), isBad, device_path)
  }
  assert.deepEqual(command.ran, [])
})

// --- RBD --------------------------------------------------------------------------------------------------------------

const image = {
  name: 'volumes/volume-1',
  hosts: ['10.0.0.1', '10.0.0.2'],
  ports: ['6789', '6789'],
  auth_username: 'cinder',
  auth_enabled: true,
}
const access = '--id cinder --mon_host 10.0.0.1:6789,10.0.0.2:6789'

function rbd(): Rbd {
  return new Rbd({ directory: join(root, 'rbd'), command })
}

test('RBD: an image is mapped once, read only where it must be, and unmapped', async () => {
  command.answer = (line) => (line.startsWith('rbd map') ? { stdout: '/dev/rbd0\n' } : { stdout: '[]' })
  assert.equal(await rbd().connect(call('rbd', image, true)), '/dev/rbd0')
  assert.deepEqual(command.ran, [
    `rbd showmapped --format=json ${access}`,
    `rbd map volume-1 --pool volumes --read-only ${access}`,
  ])
  const mapped = {
    '0': { pool: 'volumes', name: 'volume-1', device: '/dev/rbd0' },
    '1': { pool: 'other', name: 'volume-1' },
  }
  command.answer = (line) => (line.includes('showmapped') ? { stdout: JSON.stringify(mapped) } : undefined)
  command.ran.splice(0)
  assert.equal(await rbd().connect(call('rbd', image)), '/dev/rbd0')
  await rbd().disconnect(call('rbd', image))
  assert.deepEqual(command.ran.slice(1), [`rbd showmapped --format=json ${access}`, `rbd unmap /dev/rbd0 ${access}`])
})

test('RBD: storage that knows no users is asked as nobody', async () => {
  command.answer = (line) => (line.startsWith('rbd map') ? { stdout: '/dev/rbd0\n' } : { stdout: '[]' })
  const open = { ...image, auth_enabled: false, auth_username: null }
  assert.equal(await rbd().connect(call('rbd', open)), '/dev/rbd0')
  const monitors = '--mon_host 10.0.0.1:6789,10.0.0.2:6789'
  assert.deepEqual(command.ran, [
    `rbd showmapped --format=json ${monitors}`,
    `rbd map volume-1 --pool volumes ${monitors}`,
  ])
  await assert.rejects(rbd().connect(call('rbd', { ...open, auth_enabled: true })), isBad)
})

test('RBD: a key is on the disk, for root only, as long as a command runs and no longer', async () => {
  const key = join(root, 'rbd', `${volumeId}.keyring`)
  const conf = join(root, 'rbd', `${volumeId}.conf`)
  command.answer = (line) => {
    assert.ok(line.endsWith(`--conf ${conf}`), line)
    assert.equal(readFileSync(key, 'utf8'), '[client.cinder]')
    assert.match(readFileSync(conf, 'utf8'), new RegExp(`keyring = ${key}`))
    return line.startsWith('rbd map') ? { exitCode: 110, stderr: 'timed out' } : { stdout: '[]' }
  }
  await assert.rejects(rbd().connect(call('rbd', { ...image, keyring: '[client.cinder]' })), /timed out/)
  for (const path of [key, conf]) assert.throws(() => readFileSync(path), { code: 'ENOENT' })
})

// --- files on shares --------------------------------------------------------------------------------------------------

test('files that are written down keep their devices, whatever they are called; those of a crash lose them', async () => {
  const directory = join(root, 'exports/nfs')
  const exported = '10.0.0.1:/srv/volumes'
  const place = join(directory, createHash('sha256').update(exported).digest('hex').slice(0, 32))
  const files = new Map([
    ['/dev/loop1', join(place, 'disk-7')],
    ['/dev/loop2', join(place, `volume-${volumeId}`)],
    ['/dev/loop3', '/somewhere/else'],
  ])
  command.answer = (line) => {
    if (line.startsWith('losetup --detach')) files.delete(line.split(' ').at(-1) ?? '')
    return { stdout: [...files].map(([device, file]) => `${device} ${file}\n`).join('') }
  }
  const loops = new LoopDevices(command)
  const share = new FileShare({ kind: 'nfs', directory, command, mounts: new HostMounts(command), loops })
  const kept = call('nfs', { export: exported, name: 'disk-7' })
  const odd = call('nfs', { export: exported, name: '../x' })
  const other = call('glusterfs', { export: exported, name: `volume-${volumeId}` })
  await share.tidy([kept, odd, other], { signal: kept.signal })
  assert.deepEqual([...files.keys()], ['/dev/loop1', '/dev/loop3'])
})

// --- others -----------------------------------------------------------------------------------------------------------

test('a local device is there, and stays', async () => {
  const local = new LocalDevice()
  assert.equal(await local.connect(call('local', { device_path: '/dev/vg/volume-1' })), '/dev/vg/volume-1')
  await local.disconnect()
  assert.deepEqual(command.ran, [])
})

test('what the volume service is told of a host', async () => {
  const options = { host: 'compute-1', ip: '10.1.0.5', multipath: true, root }
  const bare = await connectorProperties(options)
  assert.deepEqual(
    { ...bare, platform: '' },
    { platform: '', os_type: 'linux', host: 'compute-1', ip: '10.1.0.5', multipath: true, do_local_attach: false },
  )
  put('etc/iscsi/initiatorname.iscsi', '# generated\nInitiatorName=iqn.1993-08.org.debian:01:abc\n')
  put('etc/nvme/hostnqn', 'nqn.2014-08.org.nvmexpress:uuid:1\n')
  put('sys/class/fc_host/host1/port_state', 'Online\n')
  put('sys/class/fc_host/host1/port_name', '0x500143\n')
  put('sys/class/fc_host/host1/node_name', '0x500144\n')
  put('sys/class/fc_host/host2/port_state', 'Linkdown\n')
  const full = await connectorProperties(options)
  assert.deepEqual(
    [full['initiator'], full['nqn'], full['wwpns'], full['wwnns']],
    ['iqn.1993-08.org.debian:01:abc', 'nqn.2014-08.org.nvmexpress:uuid:1', ['500143'], ['500144']],
  )
})
