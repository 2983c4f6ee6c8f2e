import assert from 'node:assert/strict'
import { it } from 'node:test'
import { until } from '../support/until.ts'
import type { Stage } from './stage.ts'

interface Attached {
  readonly net_id: string
  readonly port_id: string
  /** Joined by commas. */
  readonly fixed_ips: string
}

export function networksTests(stage: Stage): void {
  const attached = async (name: string): Promise<Attached[]> => await stage.demo.json('appcontainer network list', name)

  it('a container is put on networks at create, taken off and put on again, and its interfaces follow', async () => {
    const { demo, api } = stage
    const [blue, green] = [await stage.place.network('blue'), await stage.place.network('green')]
    await stage.running('box', '--net network=blue')
    const [first] = await attached('box')
    assert.equal(first?.net_id, blue)
    assert.deepEqual(await interfaces(), [first.fixed_ips])

    assert.match(
      await demo.ok('appcontainer network attach --network green box'),
      /Request to attach network to container box has been accepted/,
    )
    await until('the second network is listed', async () => (await attached('box')).length === 2)
    const second = (await attached('box')).find((row) => row.net_id === green)
    await until('both interfaces are there', async () => (await interfaces()).length === 2)
    assert.deepEqual((await interfaces()).toSorted(), [first.fixed_ips, second?.fixed_ips ?? ''].toSorted())

    await demo.ok('appcontainer network detach --port', first.port_id, 'box')
    await until('one interface is left', async () => (await interfaces()).length === 1)
    assert.deepEqual(await interfaces(), [second?.fixed_ips])
    // Whose service has to give the port back first.
    await until('one network is listed', async () => (await attached('box')).length === 1)
    assert.deepEqual(await attached('box'), [second])

    await demo.ok('appcontainer network detach --network green box')
    await until('none is left', async () => (await interfaces()).length === 0)
    await until('none is listed', async () => (await attached('box')).length === 0)

    const wanted = further(first.fixed_ips.split(',')[0] ?? '', 4)
    await demo.ok(`appcontainer network attach --network blue --fixed-ip ${wanted} box`)
    await until('it has the address that was asked for', async () => (await interfaces()).join().includes(wanted))
    assert.ok((await api.show('box')).addresses[blue]?.some(({ addr }) => addr === wanted))
  })

  it('what cannot be attached or detached is said', async () => {
    const { demo } = stage
    const cases = [
      ['attach --network nowhere box', /Network nowhere could not be found. \(HTTP 404\)/],
      ['attach --network blue box', /\(HTTP 4\d\d\)/],
      ['attach --network green --fixed-ip 192.0.2.1 box', /192\.0\.2\.1.*\(HTTP 4\d\d\)/],
      ['attach --network blue nobody', /Container nobody could not be found/],
      ['attach --port e3b6a5e8-7d4f-4a6b-9c55-0f8d3c0e9a01 box', /\(HTTP 4\d\d\)/],
      ['detach box', /Exactly one of 'network' and 'port' must be given/],
      ['detach --network green box', /\(HTTP 4\d\d\)/],
      ['detach --port e3b6a5e8-7d4f-4a6b-9c55-0f8d3c0e9a01 box', /\(HTTP 4\d\d\)/],
    ] as const
    for (const [line, why] of cases) {
      const out = await demo.ok(`appcontainer network ${line}`)
      assert.match(out, /failed: /)
      assert.match(out, why)
    }
    assert.match(await demo.refused('appcontainer network list nobody'), /Container nobody could not be found/)
  })

  it('fixed addresses of --net are used, and refused where another has them', async () => {
    const { demo } = stage
    const [row] = await attached('box')
    const [v4 = '', v6 = ''] = (row?.fixed_ips ?? '').split(',')
    const [free4, free6] = [further(v4, 3), v6.replace(/[0-9a-f]+$/, 'abcd')]
    await stage.running('fixed', `--net network=blue,v4-fixed-ip=${free4},v6-fixed-ip=${free6}`)
    assert.equal((await attached('fixed'))[0]?.fixed_ips, `${free4},${free6}`)
    const refused = await demo.refused(`appcontainer create --net network=blue,v4-fixed-ip=${v4} ${stage.busybox}`)
    assert.match(refused, new RegExp(`${v4.replaceAll('.', '\\.')}.*\\(HTTP 409\\)`))
  })

  /** Addresses of each interface inside of the container, as the client writes them. */
  async function interfaces(): Promise<string[]> {
    const out = await stage.demo.ok('appcontainer exec box ip -o addr show scope global')
    const byName = new Map<string, string[]>()
    for (const line of out.trim().split('\n').filter(Boolean)) {
      const [, name = '', , address = ''] = line.trim().split(/\s+/)
      byName.set(name, [...(byName.get(name) ?? []), address.split('/')[0] ?? ''])
    }
    return [...byName.values()].map((addresses) => addresses.join())
  }
}

/** The address of the same subnet that is `distance` further on. */
function further(address: string, distance: number): string {
  return address.replace(/\d+$/, (last) => String(Number(last) + distance))
}
