/** A Neutron in memory, as far as the service asks it; and what it was asked. */
import type { OpenStack, OpenStackAnswer, OpenStackCall, OpenStackStream } from '../../src/adapters/openstack/call.ts'
import { OpenStackError } from '../../src/adapters/openstack/errors.ts'
import { isRecord, type JsonRecord } from '../../src/adapters/openstack/json.ts'

type Resource = Record<string, unknown> & { id: string }

const SINGULAR: Readonly<Record<string, string>> = {
  networks: 'network',
  subnets: 'subnet',
  ports: 'port',
  'security-groups': 'security_group',
  'security-group-rules': 'security_group_rule',
}

export class FakeNeutron implements OpenStack {
  readonly tables = new Map<string, Map<string, Resource>>(Object.keys(SINGULAR).map((name) => [name, new Map()]))
  /** `POST ports`, in order. */
  readonly asked: string[] = []
  /** Called before each; what it throws is the answer. `done`: once it has had its effect. */
  onCall: (asked: string, done: boolean, call: OpenStackCall) => void = () => undefined
  /** How ports of a host are bound. */
  vifType = 'bridge'
  vifDetails: JsonRecord = {}
  /** How many resources an answer holds; 0: all. */
  pageSize = 0
  #serial = 0

  add(name: string, fields: JsonRecord): Resource {
    this.#serial += 1
    const made = {
      revision_number: 1,
      id: `00000000-0000-4000-8000-${String(this.#serial).padStart(12, '0')}`,
      ...fields,
    }
    this.#table(name).set(made.id, made)
    return made
  }

  list(name: string): Resource[] {
    return [...this.#table(name).values()]
  }

  writes(): string[] {
    return this.asked.filter((asked) => !asked.startsWith('GET'))
  }

  async json<T>(call: OpenStackCall): Promise<OpenStackAnswer<T>> {
    const [, , name = '', id] = call.path.split('/')
    const asked = `${call.method} ${name}`
    this.asked.push(asked)
    this.onCall(asked, false, call)
    const body = this.#answer(call, name, id)
    this.onCall(asked, true, call)
    // Whoever asks has to look at it.
    return { status: 200, headers: {}, body: body as T }
  }

  async stream(): Promise<OpenStackStream> {
    throw new Error('nothing of Neutron is a stream')
  }

  refusal(status: number, type: string, reason: string): OpenStackError {
    return new OpenStackError({ service: 'network', status, type, reason, asked: 'something', asCaller: true })
  }

  #answer({ method, body, query = {}, headers = {} }: OpenStackCall, name: string, id?: string): unknown {
    const singular = SINGULAR[name] ?? name
    const fields = isRecord(body) && isRecord(body[singular]) ? body[singular] : {}
    switch (method) {
      case 'GET':
        return this.#page(name.replaceAll('-', '_'), this.list(name), query)
      case 'POST':
        return { [singular]: this.#made(name, fields) }
      case 'PUT': {
        const before = this.#one(name, id)
        const revision = Number(before['revision_number'] ?? 1)
        if (![undefined, `revision_number=${revision}`].includes(headers['If-Match'])) {
          throw this.refusal(412, 'RevisionNumberConstraintFailed', `not at revision ${revision}`)
        }
        const changed = { ...before, ...fields, revision_number: revision + 1 }
        this.#table(name).set(changed.id, name === 'ports' ? this.#bound(changed) : changed)
        return { [singular]: this.#one(name, id) }
      }
      case 'DELETE':
        this.#table(name).delete(this.#one(name, id).id)
        return undefined
      default:
        throw new Error(`${method} is not known here`)
    }
  }

  #page(name: string, all: readonly Resource[], query: NonNullable<OpenStackCall['query']>): JsonRecord {
    const found = all.filter((one) => fits(one, query))
    if (this.pageSize === 0) return { [name]: found }
    const begin = found.findIndex(({ id }) => id === query['marker']) + 1
    const page = found.slice(begin, begin + this.pageSize)
    // A last page that is full has a link, too, to one that is empty.
    const last = page.length < this.pageSize ? undefined : page.at(-1)
    const href = `http://elsewhere/v2.0/${name}?limit=${this.pageSize}&marker=${last?.id}`
    return {
      [name]: page,
      ...(last === undefined
        ? {}
        : {
            [`${name}_links`]: [
              { rel: 'previous', href: '' },
              { rel: 'next', href },
            ],
          }),
    }
  }

  #made(name: string, fields: JsonRecord): Resource {
    if (name !== 'ports') return this.add(name, fields)
    const serial = this.list('ports').length + 11
    const subnets = this.list('subnets').filter(({ network_id: network }) => network === fields['network_id'])
    const asked = Array.isArray(fields['fixed_ips']) ? fields['fixed_ips'] : []
    return this.#bound(
      this.add(name, {
        mac_address: `fa:16:3e:00:00:${serial}`,
        status: 'DOWN',
        security_groups: ['default-group'],
        project_id: fields['tenant_id'],
        ...fields,
        fixed_ips: subnets.map(({ id, ip_version: version }, n) => ({
          subnet_id: id,
          ip_address:
            asked
              .map((one) => (isRecord(one) ? one['ip_address'] : undefined))
              .find((address) => belongs(address, version)) ??
            (version === 6 ? `fd00::${serial + n}` : `10.0.0.${serial + n}`),
        })),
      }),
    )
  }

  #bound(port: Resource): Resource {
    const host = port['binding:host_id']
    port['binding:vif_type'] = host === '' || host === undefined ? 'unbound' : this.vifType
    port['binding:vif_details'] = this.vifDetails
    this.#table('ports').set(port.id, port)
    return port
  }

  #one(name: string, id = ''): Resource {
    const found = this.#table(name).get(id)
    if (found === undefined) throw this.refusal(404, 'NotFound', `${name} ${id} could not be found.`)
    return found
  }

  #table(name: string): Map<string, Resource> {
    const table = this.tables.get(name)
    if (table === undefined) throw new Error(`there are no ${name}`)
    return table
  }
}

function belongs(address: unknown, version: unknown): boolean {
  return typeof address === 'string' && address.includes(':') === (version === 6)
}

function fits(resource: Resource, query: NonNullable<OpenStackCall['query']>): boolean {
  return Object.entries(query).every(([name, wanted]) => {
    if (name === 'limit' || name === 'marker') return true
    if (name === 'fixed_ips') {
      const address = String(wanted).replace('ip_address=', '')
      const fixed = Array.isArray(resource['fixed_ips']) ? resource['fixed_ips'] : []
      return fixed.some((one) => isRecord(one) && one['ip_address'] === address)
    }
    const key = name === 'tenant_id' ? 'project_id' : name
    const value = resource[key] ?? resource[name] ?? ''
    if (Array.isArray(wanted)) return wanted.includes(value)
    return value === wanted || JSON.stringify(value) === String(wanted)
  })
}
