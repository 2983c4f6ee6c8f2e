import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chown, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach, test } from 'node:test'
import { SystemFault } from '../../src/domain/errors.ts'
import type { CommandOptions, CommandResult, HostCommand } from '../../src/adapters/host-command/host-command.ts'
import { ProcessCommand } from '../../src/adapters/host-command/process-command.ts'
import { LocalVolumes, type LocalVolumesDeps } from '../../src/adapters/volume/local-volumes.ts'
import type { EngineMount } from '../../src/orchestration/ports/engine.ts'
import type { MountData } from '../../src/orchestration/ports/wire.ts'
import { Containers, soon, testEngine, until } from '../support/host-fixture.ts'
import { quietLog } from '../support/quiet-log.ts'

const GIB = 1024 ** 3
const engine = testEngine()
const containers = new Containers(engine)
const command = new ProcessCommand()
const held: MountData[] = []
let directory = ''

const aDriver = (change: Partial<LocalVolumesDeps> = {}): LocalVolumes =>
  new LocalVolumes({ directory, command, log: quietLog, ...change })

function aVolume(change: Partial<MountData> = {}): MountData {
  const volume: MountData = {
    kind: 'mount',
    volumeUuid: randomUUID(),
    provider: 'volume',
    destination: '/data',
    sizeGiB: 1,
    contents: null,
    autoRemove: true,
    ...change,
  }
  held.push(volume)
  return volume
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zund volumes '))
})
afterEach(async () => {
  await containers.removeAll()
  for (const volume of held.splice(0)) await aDriver().detach(volume, true, soon())
  await rm(directory, { recursive: true })
})
after(() => engine.close())

const codeIs = (code: string) => (error: unknown) => error instanceof SystemFault && error.code === code
const imageOf = (volume: MountData): string => join(directory, 'volumes', `${volume.volumeUuid}.img`)

/** Runs a command line in a container of its own that has the volume, and gives what it printed. */
async function inside(mount: EngineMount, line: string): Promise<string> {
  const uuid = await containers.run({ mounts: [mount], command: ['sh', '-c', line] })
  await until('the container ends', async () => (await engine.inspect(uuid, soon()))?.seen.state === 'exited')
  const request = { stdout: true, stderr: true, timestamps: false, tail: null, since: null, maxBytes: 100_000 }
  const output = await engine.logs(uuid, request, soon())
  await engine.remove(uuid, true, soon())
  return output.toString('utf8')
}

async function mountsBelow(path: string): Promise<string[]> {
  const table = (await readFile('/proc/self/mountinfo', 'utf8')).replaceAll('\\040', ' ')
  return table.split('\n').filter((line) => line.includes(path))
}

async function loopsBelow(path: string): Promise<string[]> {
  const { stdout } = await command.run('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'], soon())
  return stdout.split('\n').filter((line) => line.includes(path))
}

async function assertNothingLeft(): Promise<void> {
  assert.deepEqual(await mountsBelow(directory), [])
  await until('no loop device is left', async () => (await loopsBelow(directory)).length === 0)
  for (const name of ['volumes', 'mnt', 'files']) assert.deepEqual(await readdir(join(directory, name)), [])
}

test('a volume holds what fits into its size and no more, and its size is reserved on the host', async () => {
  const volume = aVolume()
  const mount = await aDriver().attach(volume, soon())
  assert.equal(mount.destination, '/data')
  const { size, blocks } = await stat(imageOf(volume))
  assert.equal(size, GIB)
  assert.ok(blocks * 512 >= GIB, 'the image is sparse')
  const output = await inside(
    mount,
    'ls -A /data; fallocate -l 900m /data/most && echo fits; dd if=/dev/zero of=/data/rest bs=1M 2>&1; du -sm /data',
  )
  assert.match(output, /^fits\n/)
  assert.match(output, /No space left on device/)
  const used = Number(/(\d+)\s+\/data/.exec(output)?.[1])
  assert.ok(used > 900 && used < 1024, output)
  assert.ok(Math.abs((await stat(imageOf(volume))).blocks - blocks) < 64, 'the image has grown or shrunk')
})

test('devices and set-user-id files on a volume are without effect', async () => {
  await aDriver().attach(aVolume(), soon())
  const [entry = ''] = await mountsBelow(directory)
  assert.match(entry, /nosuid,nodev/)
})

test('trimming the file system does not give the reserved blocks back', async () => {
  const volume = aVolume()
  const { source } = await aDriver().attach(volume, soon())
  await command.run('fstrim', [source], soon())
  assert.ok((await stat(imageOf(volume))).blocks * 512 >= GIB)
})

test('data outlive detach and attach, and attaching what is attached changes nothing', async () => {
  const volume = aVolume({ autoRemove: false })
  const first = aDriver()
  const mount = await first.attach(volume, soon())
  assert.equal(await inside(mount, 'echo precious > /data/note; cat /data/note'), 'precious\n')
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => first.attach(volume, soon()))), [mount, mount, mount])
  assert.equal((await mountsBelow(directory)).length, 1)

  await first.detach(volume, false, soon())
  await first.detach(volume, false, soon())
  assert.deepEqual(await mountsBelow(directory), [])
  assert.equal(existsSync(mount.source), false, 'without the mount an engine would have something to bind')

  const again = await aDriver().attach(volume, soon())
  assert.equal(await inside(again, 'cat /data/note'), 'precious\n')
})

test('many first attaches of one volume make it once', async () => {
  const volume = aVolume()
  const driver = aDriver()
  const mounts = await Promise.all([1, 2, 3, 4].map(() => driver.attach(volume, soon())))
  assert.equal(new Set(mounts.map(({ source }) => source)).size, 1)
  assert.equal((await mountsBelow(directory)).length, 1)
  assert.equal((await loopsBelow(directory)).length, 1)
})

test('destroying leaves no mount, no loop device and no file, and may be repeated', async () => {
  const driver = aDriver()
  const [volume, file] = [aVolume(), aVolume({ provider: 'file', sizeGiB: 0, contents: 'aGVsbG8=' })]
  for (const mount of [volume, file]) await driver.attach(mount, soon())
  for (const mount of [volume, file, volume, file]) await driver.detach(mount, true, soon())
  await assertNothingLeft()
  // Of one that was never attached, too.
  await driver.detach(aVolume(), true, soon())
})

test('a volume that a process of the host still uses can be destroyed all the same', async () => {
  const volume = aVolume()
  const driver = aDriver()
  const { source } = await driver.attach(volume, soon())
  const user = await open(join(source, 'open'), 'w')
  await assert.rejects(driver.detach(volume, false, soon()), /cannot be unmounted/)
  await driver.detach(volume, true, soon())
  await user.close()
  await assertNothingLeft()
})

test('a container that outlives a detach and the next user of the volume see one file system', async () => {
  const volume = aVolume()
  const driver = aDriver()
  const mount = await driver.attach(volume, soon())
  const survivor = await containers.run({ mounts: [mount] })
  await driver.detach(volume, false, soon())
  const again = await driver.attach(volume, soon())
  await inside(again, 'echo from-the-second > /data/note; sync')
  assert.equal((await containers.sh(survivor, 'cat /data/note')).output, 'from-the-second\n')
  assert.equal((await loopsBelow(directory)).length, 1)
})

test('a volume whose file system is gone is refused and left as it is', async () => {
  const volume = aVolume()
  const driver = aDriver()
  await driver.attach(volume, soon())
  await driver.detach(volume, false, soon())
  const image = await open(imageOf(volume), 'r+')
  await image.write(Buffer.alloc(4096), 0, 4096, 0)
  await image.sync()
  const { mtimeMs } = await image.stat()
  await image.close()
  await assert.rejects(driver.attach(volume, soon()), codeIs('volume.damaged'))
  assert.equal((await stat(imageOf(volume))).mtimeMs, mtimeMs)
})

test('a volume that the disk has no room for is refused at once, and leaves nothing', async () => {
  await assert.rejects(
    aDriver().attach(aVolume({ sizeGiB: 100_000 }), soon()),
    (error) => codeIs('volume.no_room')(error) && /100000 GiB on this host: \d+\.\d GiB are free/.test(String(error)),
  )
  const keepFreeBytes = 2 ** 50
  await assert.rejects(aDriver({ keepFreeBytes }).attach(aVolume(), soon()), codeIs('volume.no_room'))
  await assertNothingLeft()
})

test('a program that is not installed is named', async () => {
  const bare = aDriver({ command: new ProcessCommand({ searchPath: '/nowhere' }) })
  await assert.rejects(
    bare.attach(aVolume(), soon()),
    (error) => codeIs('command.not_found')(error) && /fallocate is not installed/.test(String(error)),
  )
})

/** Attaches in a process of its own that lacks something, and gives the error's text. */
async function attachWithout(volume: MountData, program: string, ...args: string[]): Promise<string> {
  const source = join(import.meta.dirname, '../../src/adapters')
  const script = `
    const { LocalVolumes } = await import('${source}/volume/local-volumes.ts')
    const { ProcessCommand } = await import('${source}/host-command/process-command.ts')
    const log = { debug() {}, info() {}, warn() {}, error() {} }
    const [directory, mount] = JSON.parse(process.argv[1])
    const driver = new LocalVolumes({ directory, command: new ProcessCommand(), log })
    await driver.attach(mount, { signal: AbortSignal.timeout(20_000) }).then(
      () => console.log('attached'),
      (error) => console.log(error.code, error.message),
    )`
  const node = [process.execPath, '--input-type=module', '--eval', script, '--', JSON.stringify([directory, volume])]
  const { stdout, stderr } = await command.run(program, [...args, ...node], soon())
  return stdout + stderr
}

test('who is not root, or has no loop devices, is told so', async () => {
  const bare = ['-m', 'sh', '-c', 'mount -t tmpfs none /dev && mknod /dev/null c 1 3 && exec "$@"', 'sh']
  assert.match(await attachWithout(aVolume(), 'unshare', ...bare), /^volume.not_mounted .* it has no loop devices/)
  await chown(directory, 65534, 65534)
  for (const name of await readdir(directory)) await chown(join(directory, name), 65534, 65534)
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups']
  assert.match(await attachWithout(aVolume(), 'setpriv', ...nobody), /^volume.not_mounted .* need zund to run as root/)
})

test('the content of a file that was sent along is seen by any user, and changes inside stay', async () => {
  const text = Buffer.from('hello\nworld \u{1F30D}\n')
  const file = aVolume({
    provider: 'file',
    sizeGiB: 0,
    contents: text.toString('base64'),
    destination: '/etc/app.conf',
  })
  const mount = await aDriver().attach(file, soon())
  const asStranger = 'echo stranger:x:12345:12345::/:/bin/sh >> /etc/passwd; su stranger -c "cat /etc/app.conf"'
  assert.equal(await inside(mount, asStranger), text.toString())
  const mode = await inside(mount, 'stat -c %a /etc/app.conf; echo more >> /etc/app.conf')
  assert.equal(mode, '644\n')
  const again = await aDriver().attach(file, soon())
  assert.equal(await inside(again, 'cat /etc/app.conf'), `${text.toString()}more\n`)
})

test('after a reboot restore mounts what was attached, and an engine that was faster finds nothing to bind', async () => {
  const [volume, other] = [aVolume(), aVolume()]
  const mount = await aDriver().attach(volume, soon())
  await inside(mount, 'echo kept > /data/note')
  await aDriver().attach(other, soon())
  await aDriver().detach(other, false, soon())
  // What a reboot does to mounts.
  await command.run('umount', [join(directory, 'mnt', volume.volumeUuid)], soon())
  await assert.rejects(containers.run({ mounts: [mount] }), /bind source path does not exist/)

  await aDriver().restore(soon().signal)
  assert.equal(await inside(mount, 'cat /data/note'), 'kept\n')
  assert.equal((await mountsBelow(directory)).length, 1, 'one that was detached was mounted')
  await aDriver().restore(soon().signal)
  assert.equal((await mountsBelow(directory)).length, 1)
})

test('restore goes on after a volume that cannot be mounted', async () => {
  const [damaged, sound] = [aVolume(), aVolume()]
  for (const volume of [damaged, sound]) {
    await aDriver().attach(volume, soon())
    await command.run('umount', [join(directory, 'mnt', volume.volumeUuid)], soon())
  }
  await writeFile(imageOf(damaged), '')
  await aDriver().restore(soon().signal)
  const [entry = '', ...others] = await mountsBelow(directory)
  assert.ok(entry.includes(sound.volumeUuid))
  assert.deepEqual(others, [])
})

/** Dies at the n-th program that it is to run: before it, or when it has done its work. */
class Dying implements HostCommand {
  readonly #when: 'before' | 'after'
  #left: number

  constructor(n: number, when: 'before' | 'after') {
    this.#left = n
    this.#when = when
  }

  async run(program: string, args: readonly string[], o: CommandOptions): Promise<CommandResult> {
    this.#left -= 1
    if (this.#left < 0) throw new Error('dead')
    if (this.#left === 0 && this.#when === 'before') throw new Error('died')
    const result = await command.run(program, args, o)
    if (this.#left === 0) throw new Error('died')
    return result
  }
}

test('whichever program a life ends at, the next one finishes the attach, and then the destroy', async () => {
  for (const n of [1, 2, 3]) {
    for (const when of ['before', 'after'] as const) {
      const volume = aVolume()
      await assert.rejects(aDriver({ command: new Dying(n, when) }).attach(volume, soon()), /died/)
      // As a crash would leave it: nobody cleaned up.
      if (n < 3) await writeFile(`${imageOf(volume)}.part`, 'half of something')
      const next = aDriver()
      if (n === 2) await next.restore(soon().signal)
      const mount = await next.attach(volume, soon())
      assert.equal(await inside(mount, 'echo ok > /data/note; cat /data/note'), 'ok\n', `${when} program ${n}`)
      assert.equal((await mountsBelow(directory)).length, 1)
      await assert.rejects(aDriver({ command: new Dying(1, when) }).detach(volume, true, soon()), /died/)
      await next.detach(volume, true, soon())
      await assertNothingLeft()
    }
  }
})

test('an id that is none, and so might lead elsewhere, is refused', async () => {
  const stray = { ...aVolume(), volumeUuid: '../../../../../../../../etc/x12345' }
  await assert.rejects(aDriver().attach(stray, soon()), codeIs('volume.bad_id'))
  await assert.rejects(aDriver().detach(stray, true, soon()), codeIs('volume.bad_id'))
})
