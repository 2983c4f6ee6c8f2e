/** Two projects' containers, made and used through the API: no packet passes between them, or to the services of the host. */
import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { after, before, test } from 'node:test'
import type { ApiClient, ContainerBody } from '../support/api-client.ts'
import { arrived, reaches, WEB_COMMAND, WEB_PORT } from '../support/network-fixture.ts'
import { memberOf } from '../support/tenants.ts'
import { until } from '../support/until.ts'
import { ZundProcess } from '../support/zund-process.ts'

const ALL = 'ping4 ping6 tcp4 tcp6'

interface LocalNetwork {
  readonly uuid: string
  readonly is_default: boolean
  readonly subnets: readonly { readonly version: number; readonly gateway: string }[]
}

interface Tenant {
  readonly client: ApiClient
  /** Two on the project's default network, and one on a second network of the project. */
  readonly first: ContainerBody
  readonly second: ContainerBody
  readonly apart: ContainerBody
}

let zund: ZundProcess
let alice: Tenant
let bob: Tenant

before(async () => {
  // On all addresses, so that it is the filter and not the service that is silent.
  zund = await ZundProcess.start({ conf: '[api]\nhost_ip = ::\n[websocket_proxy]\nwsproxy_host = ::' })
  alice = await tenant(await zund.client())
  bob = await tenant(await memberOf(zund, 'neighbours'))
})
after(() => zund.destroy())

async function tenant(client: ApiClient): Promise<Tenant> {
  const { uuid } = await client.expect<LocalNetwork>(201, 'POST', '/v1/local/networks', { body: { name: 'apart' } })
  const command = WEB_COMMAND
  const [first, second, apart] = await Promise.all([
    client.run({ name: 'first', command }),
    client.run({ name: 'second', command }),
    client.run({ name: 'apart', command, nets: [{ network: uuid }] }),
  ])
  return { client, first, second, apart }
}

/** A shell in a container, through the API. */
const shell = ({ client }: Tenant) => ({
  sh: async (uuid: string, line: string) => {
    const body = { command: ['sh', '-c', line] }
    const path = `/v1/containers/${uuid}/execute`
    const answer = await client.expect<{ output: string; exit_code: number }>(200, 'POST', path, { body })
    return { exitCode: answer.exit_code, output: answer.output }
  },
})

function addressOf(container: ContainerBody): { v4: string; v6: string } {
  const all = Object.values(container.addresses).flat()
  const of = (version: number): string => all.find((address) => address.version === version)?.addr ?? ''
  return { v4: of(4), v6: of(6) }
}

async function gatewaysOf(client: ApiClient): Promise<{ v4: string; v6: string }[]> {
  const { networks } = await client.expect<{ networks: LocalNetwork[] }>(200, 'GET', '/v1/local/networks')
  return networks.map(({ subnets }) => {
    const of = (version: number): string => subnets.find((subnet) => subnet.version === version)?.gateway ?? ''
    return { v4: of(4), v6: of(6) }
  })
}

test('containers of one network reach each other, IPv4 and IPv6', async () => {
  for (const one of [alice, bob]) {
    await until('the neighbour answers', async () => {
      return (await reaches(shell(one), one.first.uuid, addressOf(one.second))) === ALL
    })
    assert.equal(await reaches(shell(one), one.second.uuid, addressOf(one.first)), ALL)
  }
})

test('nothing passes between networks of two projects, in either direction, nor between two of one project', async () => {
  for (const [from, to, source, target] of [
    [alice, bob, alice.first, bob.first],
    [bob, alice, bob.first, alice.first],
    [alice, bob, alice.first, bob.apart],
    [bob, alice, bob.apart, alice.first],
    [alice, alice, alice.first, alice.apart],
    [alice, alice, alice.apart, alice.first],
  ] as const) {
    const untouched = await arrived(shell(to), target.uuid)
    assert.ok(Object.values(untouched).every(Number.isFinite), JSON.stringify(untouched))
    assert.equal(await reaches(shell(from), source.uuid, addressOf(target)), '')
    assert.deepEqual(await arrived(shell(to), target.uuid), untouched)
  }
})

test('no container reaches API or terminals of the machine, by any of its addresses', async () => {
  const [own, ...others] = [...(await gatewaysOf(alice.client)), ...(await gatewaysOf(bob.client))]
  assert.ok(own !== undefined && others.length === 3)
  // The host itself gets an answer there, so there is something to be kept from.
  for (const host of [own.v4, `[${own.v6}]`]) {
    assert.equal((await fetch(`http://${host}:${zund.apiPort}/`)).status, 200)
  }
  const outer = Object.entries(networkInterfaces())
    .filter(([name]) => !/^(lo|br-|zn-|zt|veth)/.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ address, family }) => family === 'IPv4' && !address.startsWith('169.254.'))
  assert.ok(outer.length > 0)
  const targets = [own, ...others].flatMap(({ v4, v6 }) => [v4, v6]).concat(outer.map(({ address }) => address))
  const connect = async (host: string, port: number): Promise<string> => {
    const line = `timeout 2 nc -w 1 ${host} ${port} </dev/null >/dev/null 2>&1 && echo connected`
    return (await shell(alice).sh(alice.first.uuid, line)).output
  }
  assert.equal(await connect(addressOf(alice.second).v6, WEB_PORT), 'connected\n')
  const probes = [zund.apiPort, zund.terminalPort].flatMap((port) =>
    targets.map(async (target) => [target, port, await connect(target, port)] as const),
  )
  for (const [target, port, output] of await Promise.all(probes)) assert.equal(output, '', `${target} port ${port}`)
})

test('after stop, start, rebuild and a new life of the service it is still so', async () => {
  const { client, first } = alice
  await client.expect(202, 'POST', `/v1/containers/${first.uuid}/stop?timeout=0`)
  await client.waitFor(first.uuid, (found) => found.status === 'Stopped' && found.task_state === null)
  await zund.kill()
  await zund.up()
  await client.expect(202, 'POST', `/v1/containers/${first.uuid}/start`)
  await client.waitFor(first.uuid, (found) => found.status === 'Running' && found.task_state === null)
  await client.expect(202, 'POST', `/v1/containers/${alice.second.uuid}/rebuild`)
  await client.waitFor(alice.second.uuid, (found) => found.status === 'Running' && found.task_state === null)
  await until('the neighbour answers', async () => {
    return (await reaches(shell(alice), first.uuid, addressOf(alice.second))) === ALL
  })
  assert.equal(await reaches(shell(alice), first.uuid, addressOf(bob.first)), '')
  assert.equal(await reaches(shell(bob), bob.first.uuid, addressOf(first)), '')
})
