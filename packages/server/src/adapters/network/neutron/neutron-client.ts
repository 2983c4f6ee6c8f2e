import type { OpenStack, OpenStackCall } from '../../openstack/call.ts'
import { OpenStackError } from '../../openstack/errors.ts'
import { recordIn, type JsonRecord } from '../../openstack/json.ts'
import { allPages } from './pages.ts'
import {
  toGroup,
  toNetwork,
  toPort,
  toSubnet,
  type NeutronGroup,
  type NeutronNetwork,
  type NeutronPort,
  type NeutronSubnet,
} from './resources.ts'

/** For whom is asked. Without a token: as the service itself, who sees everything. */
export interface Asking {
  readonly signal: AbortSignal
  readonly userToken?: string
  readonly requestId?: string
}

type Query = NonNullable<OpenStackCall['query']>

/** The part of Neutron's API that is needed here. What it answers is checked; errors are those of the session. */
export class NeutronClient {
  readonly #openStack: OpenStack

  constructor(openStack: OpenStack) {
    this.#openStack = openStack
  }

  async networks(query: Query, o: Asking): Promise<NeutronNetwork[]> {
    return (await this.#list('networks', query, o)).flatMap(toNetwork)
  }

  async subnets(networkId: string, o: Asking): Promise<NeutronSubnet[]> {
    return (await this.#list('subnets', { network_id: networkId }, o)).flatMap(toSubnet)
  }

  async ports(query: Query, o: Asking): Promise<NeutronPort[]> {
    return (await this.#list('ports', query, o)).flatMap(toPort)
  }

  async groups(query: Query, o: Asking): Promise<NeutronGroup[]> {
    return (await this.#list('security-groups', query, o)).flatMap(toGroup)
  }

  /** undefined: there is none. */
  async port(id: string, o: Asking): Promise<NeutronPort | undefined> {
    return (await this.ports({ id }, o))[0]
  }

  async createPort(fields: JsonRecord, o: Asking): Promise<NeutronPort> {
    return await this.#write('POST', '/v2.0/ports', fields, o)
  }

  async updatePort(id: string, fields: JsonRecord, o: Asking): Promise<NeutronPort> {
    return await this.#write('PUT', `/v2.0/ports/${encodeURIComponent(id)}`, fields, o)
  }

  /** As long as it is still as it was read; undefined: somebody has changed it since. */
  async updateUnchangedPort(
    { id, revision }: NeutronPort,
    fields: JsonRecord,
    o: Asking,
  ): Promise<NeutronPort | undefined> {
    const path = `/v2.0/ports/${encodeURIComponent(id)}`
    try {
      return await this.#write(
        'PUT',
        path,
        fields,
        o,
        revision === null ? {} : { 'If-Match': `revision_number=${revision}` },
      )
    } catch (error) {
      if (error instanceof OpenStackError && error.status === 412) return undefined
      throw error
    }
  }

  /** Gone already is a success. */
  async deletePort(id: string, o: Asking): Promise<void> {
    await this.#delete(`/v2.0/ports/${encodeURIComponent(id)}`, o)
  }

  async createGroup(fields: JsonRecord, o: Asking): Promise<NeutronGroup> {
    const { body } = await this.#ask('POST', '/v2.0/security-groups', { security_group: fields }, o)
    const [group] = toGroup(recordIn(body, 'security_group'))
    if (group === undefined) throw new Error('Neutron has answered with no security group')
    return group
  }

  /** One that is there already is a success. */
  async createRule(fields: JsonRecord, o: Asking): Promise<void> {
    try {
      await this.#ask('POST', '/v2.0/security-group-rules', { security_group_rule: fields }, o)
    } catch (error) {
      if (!(error instanceof OpenStackError && error.type === 'SecurityGroupRuleExists')) throw error
    }
  }

  /** Gone already is a success; so is one that something else is in: whoever is the last takes it away. */
  async deleteGroup(id: string, o: Asking): Promise<void> {
    try {
      await this.#delete(`/v2.0/security-groups/${encodeURIComponent(id)}`, o)
    } catch (error) {
      if (!(error instanceof OpenStackError && error.type === 'SecurityGroupInUse')) throw error
    }
  }

  async #list(name: string, query: Query, { signal, ...who }: Asking): Promise<JsonRecord[]> {
    const path = `/v2.0/${name}`
    return await allPages(name.replaceAll('-', '_'), query, async (part) => {
      const call = { service: 'network', method: 'GET', path, query: part, signal, ...who } as const
      return (await this.#openStack.json(call)).body
    })
  }

  async #write(
    method: 'POST' | 'PUT',
    path: string,
    fields: JsonRecord,
    o: Asking,
    headers: OpenStackCall['headers'] = {},
  ): Promise<NeutronPort> {
    const { body } = await this.#ask(method, path, { port: fields }, o, headers)
    const [port] = toPort(recordIn(body, 'port'))
    if (port === undefined) throw new Error('Neutron has answered with no port')
    return port
  }

  async #ask(
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    body: unknown,
    { signal, ...who }: Asking,
    headers: OpenStackCall['headers'] = {},
  ) {
    return await this.#openStack.json({ service: 'network', method, path, body, headers, signal, ...who })
  }

  async #delete(path: string, o: Asking): Promise<void> {
    try {
      await this.#ask('DELETE', path, undefined, o)
    } catch (error) {
      if (!(error instanceof OpenStackError && error.status === 404)) throw error
    }
  }
}
