import assert from 'node:assert/strict'
import { it } from 'node:test'
import { until } from '../support/until.ts'
import { BUSYBOX, clientTests } from './stage.ts'

interface Attached {
  readonly net_id: string
  readonly port_id: string
  /** Joined by commas. */
  readonly fixed_ips: string
}

clientTests('networks', (stage) => {
  const attached = async (name: string): Promise<Attached[]> => await stage.demo.json('appcontainer network list', name)

  it('a container is put on networks at create, taken off and put on again, and its interfaces follow', async () => {
    const { demo, api } = stage
    const [blue, green] = [await network('blue'), await network('green')]
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
    assert.deepEqual(await attached('box'), [second])

    await demo.ok('appcontainer network detach --network green box')
    await until('none is left', async () => (await interfaces()).length === 0)
    assert.deepEqual(await attached('box'), [])

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
    const refused = await demo.refused(`appcontainer create --net network=blue,v4-fixed-ip=${v4} ${BUSYBOX}`)
    assert.match(refused, new RegExp(`${v4.replaceAll('.', '\\.')}.*\\(HTTP 409\\)`))
  })

  it('security groups other than the one there is are refused with the reason, in the versions that have them', async () => {
    const { demo } = stage
    for (const [verb, words] of [
      ['add', /Add security group for container box failed: /],
      ['remove', /Remove security group from container box failed: /],
    ] as const) {
      const old = await demo.ok(`--os-container-api-version 1.14 appcontainer ${verb} security group box other`)
      assert.match(old, words)
      assert.match(old, /the local network service has only the group 'default'. \(HTTP 400\)/)
      const gone = await demo.ok(`appcontainer ${verb} security group box other`)
      assert.match(gone, words)
      assert.match(gone, /exists in API versions 1.1 to 1.14.*\(HTTP 406\)/)
    }
    const created = await demo.refused(`appcontainer create --security-group other ${BUSYBOX}`)
    assert.match(created, /other.*\(HTTP 4\d\d\)/)
  })

  it('floating addresses need Neutron, which the client does not find in the catalogue', async () => {
    for (const line of ['add floating ip box 192.0.2.7', 'remove floating ip 192.0.2.7']) {
      const said = await stage.demo.refused(`appcontainer ${line}`)
      assert.match(said, /endpoint for network service in RegionOne region not found/)
    }
  })

  async function network(name: string): Promise<string> {
    const made = await stage.api.expect<{ uuid: string }>(201, 'POST', '/v1/local/networks', { body: { name } })
    return made.uuid
  }

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
})

/** The address of the same subnet that is `distance` further on. */
function further(address: string, distance: number): string {
  return address.replace(/\d+$/, (last) => String(Number(last) + distance))
}
