/** What the client shows of containers and gets out of them. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import type { ContainerBody } from '../support/api-client.ts'
import { until } from '../support/until.ts'
import type { Stage } from './stage.ts'

interface Row {
  readonly uuid: string
  readonly name: string
  readonly status: string
  readonly addresses: string
}

export function lookingTests(stage: Stage): void {
  const names = async (options: string): Promise<string[]> => {
    return (await stage.demo.json<Row[]>(`appcontainer list ${options}`.trimEnd())).map((row) => row.name)
  }

  it('list filters, sorts and pages', async () => {
    const { demo } = stage
    assert.deepEqual(await names(''), [])
    for (const [name, memory] of [
      ['bee', '64'],
      ['ant', '96'],
      ['cat', '64'],
    ]) {
      await demo.ok(`appcontainer create --name ${name} --memory ${memory} ${stage.busybox}`)
    }
    const dog = await stage.running('dog')
    assert.deepEqual(await names(''), ['bee', 'ant', 'cat', 'dog'])
    assert.deepEqual(await names('--sort-key name'), ['ant', 'bee', 'cat', 'dog'])
    assert.deepEqual(await names('--sort-key name --sort-dir desc'), ['dog', 'cat', 'bee', 'ant'])
    assert.deepEqual(await names('--limit 2'), ['bee', 'ant'])
    assert.deepEqual(await names('--limit 3 --sort-key name --sort-dir desc'), ['dog', 'cat', 'bee'])
    const marker = (await demo.json<ContainerBody>('appcontainer show ant')).uuid
    assert.deepEqual(await names(`--marker ${marker}`), ['cat', 'dog'])
    assert.deepEqual(await names(`--marker ${marker} --limit 1`), ['cat'])
    assert.deepEqual(await names('--name cat'), ['cat'])
    assert.deepEqual(await names('--memory 64'), ['bee', 'cat'])
    assert.deepEqual(await names('--status Running'), ['dog'])
    assert.deepEqual(await names('--image busybox --auto-remove False'), ['bee', 'ant', 'cat', 'dog'])
    assert.deepEqual(await names('--image nginx'), [])
    const { project_id: project, user_id: user } = dog
    assert.deepEqual(await names(`--project-id ${String(project)} --user-id ${String(user)} --name dog`), ['dog'])
    assert.match(await demo.refused('appcontainer list --sort-key nonsense'), /nonsense.*\(HTTP 400\)/)
    assert.match(await demo.refused('appcontainer list --host here'), /container:get_one:host .*\(HTTP 403\)/)
  })

  it('the table for people and the JSON for programs say the same as show does', async () => {
    const { demo } = stage
    const shown = await demo.json<Row & { networks: string; status_detail: string }>('appcontainer show dog')
    assert.match(shown.status_detail, /^Up /)
    assert.match(shown.addresses, stage.place.usualAddresses)
    const [row] = await demo.json<Row[]>('appcontainer list --name dog')
    const { uuid, name, status, addresses } = shown
    assert.deepEqual([row?.uuid, row?.name, row?.status, row?.addresses], [uuid, name, status, addresses])
    const table = await demo.ok('appcontainer list --name dog')
    for (const value of [uuid, name, status, addresses]) assert.ok(table.includes(` ${value} `), table)
    assert.equal(await demo.ok('appcontainer show -f value -c status', uuid), 'Running\n')
    assert.match(await demo.refused('appcontainer show nobody'), /Container nobody could not be found. \(HTTP 404\)/)
  })

  it('a name that two containers have is refused, and their uuids are not', async () => {
    const { demo } = stage
    const first = await demo.json<Row>(`appcontainer create --name twin ${stage.busybox}`)
    const second = await demo.json<Row>(`appcontainer create --name twin ${stage.busybox}`)
    assert.match(await demo.refused('appcontainer show twin'), /Multiple containers.*twin.*\(HTTP 409\)/)
    for (const { uuid } of [first, second]) {
      assert.equal((await demo.json<Row>('appcontainer show', uuid)).uuid, uuid)
    }
  })

  it('exec hands on arguments as they are, prints what the command prints and ends as it ended', async () => {
    const { demo } = stage
    const words = ['two words', '$HOME', '*', 'ä', "it's"]
    assert.equal(await demo.ok('appcontainer exec dog printf %s|', ...words), `${words.join('|')}|\n`)
    const said = await demo.run('appcontainer exec dog', 'sh', '-c', 'echo out; echo err >&2; exit 3')
    assert.deepEqual([said.code, said.out.split('\n').toSorted().join(' ').trim()], [3, 'err out'])
    assert.match(await demo.ok('appcontainer exec dog id'), /^uid=0\(root\)/)
    assert.match(await demo.refused('appcontainer exec bee id'), /Cannot execute container .* in Created state/)
    const missing = await demo.run('appcontainer exec dog nonesuch')
    assert.notEqual(missing.code, 0)
    assert.match(missing.out + missing.err, /nonesuch/)
  })

  it('logs come whole or in part', async () => {
    const { demo } = stage
    await stage.running('talker', '', ['sh', '-c', 'echo one; echo two >&2; echo three; sleep 1000'])
    // The engine reads the two streams one beside the other.
    await until('both streams are there', async () => {
      const logged = await demo.ok('appcontainer logs talker')
      return logged.includes('two') && logged.includes('three')
    })
    const sorted = (text: string): string => text.trim().split('\n').toSorted().join()
    assert.equal(sorted(await demo.ok('appcontainer logs talker')), 'one,three,two')
    assert.equal(await demo.ok('appcontainer logs --stdout talker'), 'one\nthree\n\n')
    assert.equal(await demo.ok('appcontainer logs --stderr talker'), 'two\n\n')
    const last = (await demo.ok('appcontainer logs talker')).trim().split('\n').at(-1)
    assert.equal(await demo.ok('appcontainer logs --tail 1 talker'), `${last}\n\n`)
    assert.match(
      await demo.ok('appcontainer logs --timestamps --stdout talker'),
      /^\d{4}-\d\d-\d\dT\S+ one\n\d{4}-\d\d-\d\dT\S+ three\n/,
    )
    const later = String(Math.floor(Date.now() / 1000) + 3600)
    assert.equal((await demo.ok(`appcontainer logs --since ${later} talker`)).trim(), '')
    assert.equal((await demo.ok('appcontainer logs bee')).trim(), '')
  })

  it('top gets the processes, which this release of the client cannot print', async () => {
    const { out, err } = await stage.demo.run('--debug appcontainer top talker')
    const answer = /RESP BODY: (\{"Titles".*\})/.exec(err)?.[1]
    assert.ok(answer !== undefined, err)
    const { Titles, Processes } = JSON.parse(answer) as { Titles: string[]; Processes: string[][] }
    const command = Titles.findIndex((title) => title === 'CMD' || title === 'COMMAND')
    assert.ok(
      Processes.some((row) => row[command] === 'sleep 1000'),
      answer,
    )
    // Code for Python 2: it prints the format, and fails at what comes after that.
    assert.equal(out, '%-20s\n')
    assert.match(err, /unsupported operand type\(s\) for %: 'NoneType' and 'str'/)
    const one = await stage.demo.run('--debug appcontainer top --pid 1 talker')
    assert.match(one.err, /RESP BODY: \{"Titles"/)
  })

  it('stats are those of the engine', async () => {
    const stats = await stage.demo.json<Record<string, number | string>>('appcontainer stats dog')
    assert.equal(stats['CONTAINER'], 'dog')
    assert.equal(stats['MEM LIMIT(MiB)'], 512)
    for (const field of ['CPU %', 'MEM USAGE(MiB)', 'MEM %']) assert.equal(typeof stats[field], 'number')
    for (const field of ['BLOCK I/O(B)', 'NET I/O(B)']) assert.match(String(stats[field]), /^\d+\/\d+$/)
    const refused = await stage.demo.refused('appcontainer stats bee')
    assert.match(refused, /Cannot stats container .* in Created state \(HTTP 409\)/)
  })

  it('cp copies a tree in and out again, byte for byte', async () => {
    const { demo, directory } = stage
    const source = join(directory, 'tree')
    mkdirSync(join(source, 'deep'), { recursive: true })
    const bytes = Buffer.from(Array.from({ length: 256 * 40 }, (_, i) => i % 256))
    writeFileSync(join(source, 'deep', 'every byte'), bytes, { mode: 0o640 })
    assert.equal(await demo.ok('appcontainer cp', source, 'dog:/tmp'), '')
    const listed = await demo.ok('appcontainer exec dog ls -l /tmp/tree/deep')
    assert.match(listed, /-rw-r----- .* 10240 .* every byte/)
    const target = join(directory, 'copied')
    assert.equal(await demo.ok('appcontainer cp dog:/tmp/tree', target), '')
    execFileSync('diff', ['-r', source, join(target, 'tree')])
    assert.ok(readFileSync(join(target, 'tree', 'deep', 'every byte')).equals(bytes))
    assert.match(
      await demo.refused('appcontainer cp dog:/nowhere', target),
      /Could not find the file \/nowhere .*\(HTTP 400\)/,
    )
    assert.match(
      await demo.refused('appcontainer cp', source, 'dog:/nowhere'),
      /Could not find the file \/nowhere .*\(HTTP 400\)/,
    )
    assert.match(await demo.ok('appcontainer cp here there'), /Please check the parameters/)
  })

  it('every action is recorded, with its steps and how it ended', async () => {
    const { demo } = stage
    await demo.ok('appcontainer stop dog')
    await stage.settled('dog', 'Stopped')
    const actions =
      await demo.json<{ action: string; request_id: string; message: string | null }[]>('appcontainer action list dog')
    assert.deepEqual(actions.map((action) => action.action).toSorted(), ['create', 'stop'])
    const stopped = actions.find((action) => action.action === 'stop')
    const shown = await demo.json<{
      finish_time: string | null
      message: string | null
      events: { event: string; result: string; finish_time: string | null }[]
    }>('appcontainer action show dog', stopped?.request_id ?? '')
    assert.equal(shown.message, null)
    assert.match(String(shown.finish_time), /^\d{4}-\d\d-\d\dT/)
    assert.ok(shown.events.length > 0)
    assert.ok(shown.events.every((event) => event.result === 'Success' && event.finish_time !== null))
    assert.match(await demo.refused('appcontainer action show dog req-none'), /req-none.*\(HTTP 404\)/)
    assert.match(await demo.refused('appcontainer action list nobody'), /Container nobody could not be found/)
  })
}
