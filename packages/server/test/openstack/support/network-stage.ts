/** A service with an engine of its own, whose containers are on networks of the real Neutron. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { importBusybox } from '../../../../../tools/test/busybox-image.ts'
import { PrivateEngine } from '../../../../../tools/test/private-engine.ts'
import { ApiClient, OBEDIENT, UNTIL_TERM, type ContainerBody } from '../../support/api-client.ts'
import { closeAll } from '../../support/close-all.ts'
import { until } from '../../support/until.ts'
import { ZundProcess } from '../../support/zund-process.ts'
import { account } from './accounts.ts'
import { CloudUser } from './cloud-user.ts'

const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(120_000) })

export interface Port {
  readonly id: string
  readonly status: string
  readonly device_id: string
  readonly device_owner: string
  readonly mac_address: string
  readonly project_id: string
  readonly network_id: string
  readonly security_groups: readonly string[]
  readonly fixed_ips: readonly { readonly ip_address: string; readonly subnet_id: string }[]
  readonly 'binding:host_id': string
  readonly 'binding:vif_type': string
}

const IMAGE = { image: 'busybox', image_driver: 'glance', command: OBEDIENT } as const

export interface Group {
  readonly id: string
  readonly name: string
}

export interface Network {
  readonly id: string
  readonly name: string
}

export class NetworkStage {
  #before: readonly string[] = []
  #networks = 0
  /** Every container and capsule that was asked for. */
  readonly #asked: string[] = []
  /** Begins the names of what is made, so that two runs never meet. */
  readonly prefix = `zund-test-${randomUUID().slice(0, 8)}`
  #engine: PrivateEngine | undefined
  #zund: ZundProcess | undefined
  #users: { admin: CloudUser; demo: CloudUser; alt: CloudUser } | undefined
  /** Of the projects, to be removed at the end, the last first. */
  readonly #made: (() => Promise<unknown>)[] = []

  /** `more`: of zun.conf. */
  async open(more = ''): Promise<void> {
    const [admin, demo, alt] = await Promise.all([
      CloudUser.login('admin'),
      CloudUser.login('demo'),
      CloudUser.login('alt_demo'),
    ])
    this.#users = { admin, demo, alt }
    // In the network of the agents of Neutron, where other engines keep their rules.
    this.#engine = await PrivateEngine.start({
      ...soon(),
      inThisNetwork: true,
      args: ['--bridge=none', '--iptables=false', '--ip6tables=false'],
    })
    await importBusybox(this.#engine.socketPath, soon())
    this.#zund = await ZundProcess.start({ engineSocket: this.#engine.socketPath, conf: `${conf()}\n${more}` })
    this.#before = await this.#left()
  }

  async close(): Promise<void> {
    await closeAll(
      () => this.#zund?.destroy(),
      () => this.#engine?.stop(),
      () => this.#sweep(),
      ...this.#made.toReversed(),
    )
  }

  /** What a test that failed has left in Neutron. */
  async #sweep(): Promise<void> {
    const { admin } = this.users
    for (const uuid of this.#asked) {
      const { ports } = await admin.get<{ ports: Port[] }>('network', `/v2.0/ports?device_id=${uuid}`)
      for (const { id } of ports) await admin.call('network', 'DELETE', `/v2.0/ports/${id}`)
      const group = await this.groupNamed(`zun-${uuid}`)
      if (group !== undefined) await admin.call('network', 'DELETE', `/v2.0/security-groups/${group.id}`)
    }
  }

  get zund(): ZundProcess {
    if (this.#zund === undefined) throw new Error('the stage is not open')
    return this.#zund
  }

  get engine(): PrivateEngine {
    if (this.#engine === undefined) throw new Error('the stage is not open')
    return this.#engine
  }

  get users(): { admin: CloudUser; demo: CloudUser; alt: CloudUser } {
    if (this.#users === undefined) throw new Error('the stage is not open')
    return this.#users
  }

  get api(): ApiClient {
    const { demo } = this.users
    return new ApiClient(this.zund.baseUrl, demo.token, demo.projectId)
  }

  /** A container of the image service's busybox that runs. */
  async run(body: object = {}): Promise<ContainerBody> {
    const { uuid } = await this.create(body)
    return await this.api.waitFor(uuid, ({ status }) => status === 'Running')
  }

  async create(body: object = {}): Promise<ContainerBody> {
    const made = await this.api.expect<ContainerBody>(202, 'POST', '/v1/containers?run=true', {
      body: { ...IMAGE, ...body },
    })
    this.#asked.push(made.uuid)
    return made
  }

  /** Ends in Error, with this reason. */
  async fails(body: object): Promise<{ uuid: string; reason: string }> {
    const { uuid } = await this.create(body)
    return await until(`container ${uuid} ends in Error`, async () => {
      const { status, status_reason: reason } = await this.api.show(uuid)
      return status === 'Error' && { uuid, reason: reason ?? '' }
    })
  }

  /** Refused before it is accepted. */
  async refused(status: number, body: object): Promise<string> {
    const answer = await this.api.call('POST', '/v1/containers?run=true', { body: { ...IMAGE, ...body } })
    assert.equal(answer.status, status, answer.text)
    const { errors } = answer.body as { errors: { code: string; detail: string }[] }
    return `${errors[0]?.code}: ${errors[0]?.detail}`
  }

  async remove(...uuids: string[]): Promise<void> {
    for (const uuid of uuids) await this.api.delete(uuid)
  }

  addressOf(container: ContainerBody, version = 4, network?: string): { addr: string; port: string } {
    const lists = network === undefined ? Object.values(container.addresses) : [container.addresses[network] ?? []]
    const found = lists.flat().find((address) => address.version === version)
    assert.ok(found, `container ${container.uuid} has no IPv${version} address`)
    return found
  }

  /** Makes a resource of Neutron as its owner; it goes when the stage is closed. */
  async make<T extends { id: string }>(
    path: string,
    name: string,
    fields: object,
    owner = this.users.demo,
  ): Promise<T> {
    const body = await owner.post<Record<string, T>>('network', `/v2.0/${path}`, { [name]: fields })
    const made = body[name]
    assert.ok(made, `no ${name}`)
    this.#made.push(async () => await owner.call('network', 'DELETE', `/v2.0/${path}/${made.id}`))
    return made
  }

  /** As an admin sees it. */
  async findPort(id: string): Promise<Port | undefined> {
    const { ports } = await this.users.admin.get<{ ports: Port[] }>('network', `/v2.0/ports?id=${id}`)
    return ports[0]
  }

  async port(id: string): Promise<Port> {
    const found = await this.findPort(id)
    assert.ok(found, `there is no port ${id}`)
    return found
  }

  async portOf(deviceId: string): Promise<Port> {
    const { ports } = await this.users.admin.get<{ ports: Port[] }>('network', `/v2.0/ports?device_id=${deviceId}`)
    assert.equal(ports.length, 1, `ports of ${deviceId}`)
    return ports[0] as Port
  }

  async untilActive(portId: string): Promise<void> {
    await until(`port ${portId} is active`, async () => (await this.port(portId)).status === 'ACTIVE')
  }

  async groupNamed(name: string): Promise<Group | undefined> {
    const path = `/v2.0/security-groups?name=${name}`
    const { security_groups: groups } = await this.users.admin.get<{ security_groups: Group[] }>('network', path)
    return groups[0]
  }

  /** Of the demo project, with one subnet. Without DHCP a port needs no other agent than that of its host to be active. */
  async network(subnet: object, owner = this.users.demo, more: object = {}): Promise<Network> {
    this.#networks += 1
    const name = `${this.prefix}-net-${this.#networks}`
    const network = await this.make<Network>('networks', 'network', { name, ...more }, owner)
    await this.make(
      'subnets',
      'subnet',
      { network_id: network.id, ip_version: 4, enable_dhcp: false, ...subnet },
      owner,
    )
    return network
  }

  async engineNetworks(): Promise<string[]> {
    return (await this.zund.engine.api<{ Name: string }[]>('GET', '/networks')).map(({ Name: name }) => name)
  }

  /** Of one member that serves at port 8080. */
  async capsule(): Promise<{ uuid: string }> {
    const command = ['sh', '-c', `echo yes > /tmp/id; httpd -p 8080 -h /tmp; ${UNTIL_TERM}`]
    const template = {
      kind: 'capsule',
      capsuleVersion: 'beta',
      metadata: { name: this.prefix },
      spec: { containers: [{ image: 'busybox', command, ports: [{ containerPort: 8080 }] }] },
    }
    const path = '/v1/capsules'
    const made = await this.api.expect<{ uuid: string }>(202, 'POST', path, { body: { template } })
    this.#asked.push(made.uuid)
    await until('the capsule runs', async () => {
      const one = `${path}/${made.uuid}`
      const { status, status_reason: reason } = await this.api.expect<Record<string, unknown>>(200, 'GET', one)
      if (status === 'Error') assert.fail(`the capsule is in Error: ${String(reason)}`)
      return status === 'Running'
    })
    return made
  }

  async removeCapsule(uuid: string): Promise<void> {
    await this.api.expect(204, 'DELETE', `/v1/capsules/${uuid}`)
    await until('the capsule is gone', async () => (await this.api.call('GET', `/v1/capsules/${uuid}`)).status === 404)
  }

  async attachRefused(uuid: string, query: string): Promise<string> {
    const { text, status } = await this.api.call('POST', `/v1/containers/${uuid}/network_attach?${query}`)
    assert.ok(status >= 400 && status < 500, text)
    return text
  }

  /** Output and exit code of a line of shell in a container. */
  async sh(uuid: string, line: string): Promise<{ output: string; exit_code: number }> {
    const query = new URLSearchParams({ command: `sh -c '${line}'`, run: 'true', interactive: 'false' })
    return await this.api.expect(200, 'POST', `/v1/containers/${uuid}/execute?${query.toString()}`)
  }

  /** Agents need a moment to let a port's packets through. */
  async untilReached(uuid: string, address: string): Promise<void> {
    await until(`${address} is reached from ${uuid}`, async () => await this.reaches(uuid, address))
  }

  /** Also while what is shown is from before its engine went down, and a command is refused. */
  async untilReachedAgain(uuid: string, address: string): Promise<void> {
    const query = new URLSearchParams({ command: `ping -c 1 -W 1 ${address}`, run: 'true', interactive: 'false' })
    await until(`${address} is reached from ${uuid} again`, async () => {
      const { status, body } = await this.api.call('POST', `/v1/containers/${uuid}/execute?${query.toString()}`)
      return status === 200 && (body as { exit_code: number }).exit_code === 0
    })
  }

  async untilNotReached(uuid: string, address: string): Promise<void> {
    await until(`${address} is not reached from ${uuid}`, async () => !(await this.reaches(uuid, address)))
  }

  /** By the engine itself, while the service is away. */
  async untilReachedDirectly(uuid: string, address: string): Promise<void> {
    const { engine } = this.zund
    await until(`${address} is reached from ${uuid}`, async () => {
      const Cmd = ['ping', '-c', '1', '-W', '1', address]
      const path = `/containers/zun-${uuid}/exec`
      const { Id } = await engine.api<{ Id: string }>('POST', path, { AttachStdout: true, Cmd })
      await engine.text('POST', `/exec/${Id}/start`, {})
      return (await engine.api<{ ExitCode: number }>('GET', `/exec/${Id}/json`)).ExitCode === 0
    })
  }

  async until(what: string, ask: () => Promise<boolean>): Promise<void> {
    await until(what, ask)
  }

  /** In Neutron, on the engine and on the host, besides what the test has made itself. */
  async assertNothingLeft(): Promise<void> {
    let last: readonly string[] = []
    await until('everything is as before', async () => {
      const left = (await this.#left()).filter((one) => !this.#before.includes(one))
      last = left
      return left.length === 0
    }).catch((error: unknown) => assert.fail(`${String(error)}: ${last.join(', ')}`))
  }

  async #left(): Promise<string[]> {
    const { admin } = this.users
    const { ports } = await admin.get<{ ports: Port[] }>('network', '/v2.0/ports')
    const path = '/v2.0/security-groups'
    const { security_groups: groups } = await admin.get<{ security_groups: Group[] }>('network', path)
    const own = ports.filter(({ device_owner: owner }) => owner === 'compute:kuryr')
    return [
      ...own.map(({ id, device_id: device }) => `port ${id} of ${device}`),
      ...groups.filter(({ name }) => name.startsWith('zun-')).map(({ name }) => `group ${name}`),
      ...(await this.engineNetworks()).map((name) => `network ${name} of the engine`),
    ]
  }

  async reaches(uuid: string, address: string): Promise<boolean> {
    return (await this.sh(uuid, `ping -c 1 -W 1 ${address}`)).exit_code === 0
  }
}

function conf(): string {
  const { authUrl, username, password, project } = account('zun')
  const login = [
    `auth_url = ${authUrl}`,
    `username = ${username}`,
    `password = ${password}`,
    'user_domain_name = Default',
    `project_name = ${project}`,
    'project_domain_name = Default',
  ]
  return [
    '[DEFAULT]',
    'image_driver_list = glance,docker',
    'default_image_driver = glance',
    '[keystone_authtoken]',
    `www_authenticate_uri = ${authUrl}`,
    ...login,
    '[keystone_auth]',
    ...login,
  ].join('\n')
}
