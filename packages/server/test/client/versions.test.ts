/** Both ends of every version that changed something. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import type { ContainerBody } from '../support/api-client.ts'
import { loginTests } from './logins.ts'
import { clientTests } from './stage.ts'

const NEWEST = 40

clientTests('versions', (stage) => {
  const at = (minor: number, line: string): string => `--os-container-api-version 1.${minor} appcontainer ${line}`

  it('every version that the client offers is served', async () => {
    await stage.running('box')
    const minors = Array.from({ length: NEWEST }, (_, i) => i + 1)
    const lists = await Promise.all(minors.map((minor) => stage.demo.json<{ name: string }[]>(at(minor, 'list'))))
    assert.deepEqual(
      lists.map((rows) => rows.map((row) => row.name).join()),
      minors.map(() => 'box'),
    )
    const beyond = await stage.demo.run(at(NEWEST + 1, 'list'))
    assert.match(beyond.err, /invalid choice: '1.41'/)
  })

  it('a command is refused below the version it came with, and from the version it went with', async () => {
    const { demo, admin } = stage
    const cases = [
      [demo, 'network list box', 13, NEWEST],
      [demo, 'network attach --network nowhere box', 8, NEWEST],
      [demo, 'network detach --network nowhere box', 6, NEWEST],
      [admin, 'host list', 4, NEWEST],
      [demo, 'add security group box default', 1, 14],
      [demo, 'remove security group box default', 1, 14],
    ] as const
    for (const [user, line, first, last] of cases) {
      const words = `exists in API versions 1.${first} to ${last === NEWEST ? 'the newest' : `1.${last}`}`
      for (const minor of [first - 1, first, last, last + 1].filter((one) => one >= 1 && one <= NEWEST)) {
        const { out, err } = await user.run(at(minor, line))
        const refused = `${out}${err}`.includes(words) && `${out}${err}`.includes('(HTTP 406)')
        assert.equal(refused, minor < first || minor > last, `1.${minor} ${line}: ${out}${err}`)
      }
    }
  })

  it('an option of create is refused below the version it came with', async () => {
    const { admin } = stage
    const file = join(stage.directory, 'injected')
    writeFileSync(file, 'text')
    const [{ hostname }] = await admin.json<[{ hostname: string }]>('appcontainer host list')
    const cases = [
      ['auto_remove', 3, '--auto-remove'],
      ['runtime', 5, '--runtime runc'],
      ['hostname', 9, '--hostname there'],
      ['mounts', 11, `--mount type=bind,source=${file},destination=/injected`],
      ['healthcheck', 22, '--healthcheck cmd=true,interval=60,retries=1,timeout=5'],
      ['exposed_ports', 24, '--expose-port 80'],
      ['host', 39, `--host ${hostname}`],
      ['entrypoint', 40, '--entrypoint sh'],
    ] as const
    for (const [field, since, options] of cases) {
      const name = `since-${since}`
      const below = await admin.run(at(since - 1, `create --name ${name} ${options} ${stage.busybox}`))
      assert.match(below.err, new RegExp(`${field}.*\\(HTTP 4\\d\\d\\)`), `1.${since - 1} ${options}`)
      await admin.ok(at(since, `create --name ${name} ${options} ${stage.busybox}`))
    }
    const made = await admin.json<{ name: string }[]>('appcontainer list')
    for (const [, since] of cases) assert.equal(made.filter((row) => row.name === `since-${since}`).length, 1)
  })

  it('a command is one text below 1.20 and a list from there on, and runs the same', async () => {
    for (const minor of [19, 20]) {
      const name = `words-${minor}`
      await stage.demo.ok(at(minor, `run --name ${name} ${stage.busybox}`), 'printf', '%s|', 'two words', '$HOME')
      const { uuid } = await stage.settled(name, 'Stopped')
      assert.equal(await stage.demo.ok('appcontainer logs', uuid), 'two words|$HOME|\n')
    }
  })

  it('interactive brings its terminal with it, before and after the two were separated', async () => {
    for (const minor of [3, 19, 20, 35, 36]) {
      const shown = await stage.demo.json<ContainerBody>(
        at(minor, `create --interactive --name tty-${minor} ${stage.busybox}`),
      )
      assert.deepEqual([shown['interactive'], shown['tty']], [true, minor >= 20], `1.${minor}`)
    }
  })

  it('cp copies text below 1.25 and anything from there on', async () => {
    const source = join(stage.directory, 'note.txt')
    writeFileSync(source, 'a note\n')
    for (const minor of [24, 25]) {
      await stage.demo.run(at(minor, 'cp'), source, 'box:/tmp')
      assert.equal(await stage.demo.ok('appcontainer exec box cat /tmp/note.txt'), 'a note\n\n')
      await stage.demo.ok(at(minor, 'cp box:/tmp/note.txt'), join(stage.directory, String(minor)))
      assert.equal(readFileSync(join(stage.directory, String(minor), 'note.txt'), 'utf8'), 'a note\n')
      await stage.demo.ok('appcontainer exec box rm /tmp/note.txt')
    }
  })

  it('delete takes --force from 1.7 and --stop from 1.12 on', async () => {
    const { admin, demo } = stage
    for (const [option, since] of [
      ['--force', 7],
      ['--stop', 12],
    ] as const) {
      const { uuid } = await stage.running(`gone${option}`)
      assert.match(await admin.ok(at(since - 1, `delete ${option} ${uuid}`)), /failed: .*\(HTTP 4\d\d\)/)
      assert.match(await admin.ok(at(since, `delete ${option} ${uuid}`)), /has been accepted/)
      await stage.api.waitGone(uuid)
      assert.match(await demo.refused('appcontainer show', uuid), /could not be found/)
    }
  })

  loginTests(stage)
})
