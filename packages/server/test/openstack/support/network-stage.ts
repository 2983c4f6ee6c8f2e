/** A service with an engine of its own, whose containers are on networks of the real Neutron. */
import assert from 'node:assert/strict'
import { importBusybox } from '../../../../../tools/test/busybox-image.ts'
import { PrivateEngine } from '../../../../../tools/test/private-engine.ts'
import { ApiClient, OBEDIENT, type ContainerBody } from '../../support/api-client.ts'
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
  readonly network_id: string
  readonly security_groups: readonly string[]
  readonly fixed_ips: readonly { readonly ip_address: string; readonly subnet_id: string }[]
  readonly 'binding:host_id': string
  readonly 'binding:vif_type': string
}

const IMAGE = { image: 'busybox', image_driver: 'glance', command: OBEDIENT } as const

export class NetworkStage {
  #engine: PrivateEngine | undefined
  #zund: ZundProcess | undefined
  #users: { admin: CloudUser; demo: CloudUser; alt: CloudUser } | undefined
  /** Of the projects, to be removed at the end, the last first. */
  readonly #made: (() => Promise<unknown>)[] = []

  async open(): Promise<void> {
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
    this.#zund = await ZundProcess.start({ engineSocket: this.#engine.socketPath, conf: conf() })
  }

  async close(): Promise<void> {
    await this.#zund?.destroy()
    await this.#engine?.stop()
    for (const undo of this.#made.toReversed()) await undo().catch((error: unknown) => console.error(error))
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
    return await this.api.expect(202, 'POST', '/v1/containers?run=true', { body: { ...IMAGE, ...body } })
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

  addressOf(container: ContainerBody, version = 4): { addr: string; port: string } {
    const found = Object.values(container.addresses)
      .flat()
      .find((address) => address.version === version)
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

  /** Output and exit code of a line of shell in a container. */
  async sh(uuid: string, line: string): Promise<{ output: string; exit_code: number }> {
    const query = new URLSearchParams({ command: `sh -c '${line}'`, run: 'true', interactive: 'false' })
    return await this.api.expect(200, 'POST', `/v1/containers/${uuid}/execute?${query.toString()}`)
  }

  /** Agents need a moment to let a port's packets through. */
  async untilReached(uuid: string, address: string): Promise<void> {
    await until(`${address} is reached from ${uuid}`, async () => await this.reaches(uuid, address))
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
  return ['[keystone_authtoken]', `www_authenticate_uri = ${authUrl}`, ...login, '[keystone_auth]', ...login].join('\n')
}
