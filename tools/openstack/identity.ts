/** Projects, users, roles and the catalogue. */
import { passwordOf, REGION, URLS } from './places.ts'
import { Account } from './rest.ts'

const V3 = `${URLS.identity}/v3`

const SERVICES = [
  { name: 'glance', type: 'image', url: URLS.image },
  { name: 'placement', type: 'placement', url: URLS.placement },
  { name: 'neutron', type: 'network', url: URLS.network },
  { name: 'cinderv3', type: 'volumev3', url: `${URLS.volume}/v3/$(project_id)s` },
  { name: 'cinder', type: 'block-storage', url: `${URLS.volume}/v3/$(project_id)s` },
  { name: 'heat', type: 'orchestration', url: `${URLS.orchestration}/v1/$(project_id)s` },
  { name: 'zun', type: 'container', url: `${URLS.container}/v1` },
]
const SERVICE_USERS = ['glance', 'placement', 'neutron', 'cinder', 'heat', 'zun']
/** Each a user and a project of its own. */
export const TENANTS = ['demo', 'alt_demo']

interface Named {
  readonly id: string
  readonly name: string
}

export async function fillIdentity(): Promise<void> {
  const admin = await Account.login('admin', 'admin')
  const list = async (kind: string): Promise<Map<string, string>> => {
    const found = await admin.get<Record<string, Named[]>>(`${V3}/${kind}`)
    return new Map((found[kind] ?? []).map(({ id, name }) => [name, id]))
  }
  // One after the other: a Keystone that has just started, asked by several at once, refuses some as not allowed.
  const roles = await list('roles')
  const projects = await list('projects')
  const users = await list('users')
  const make = async (kind: string, known: Map<string, string>, name: string, more: object): Promise<void> => {
    if (known.has(name)) return
    const made = await admin.post<Record<string, Named>>(`${V3}/${kind}s`, { [kind]: { name, ...more } })
    known.set(name, made[kind]?.id ?? '')
  }
  for (const name of ['reader', 'member', 'service']) await make('role', roles, name, {})
  const domain = { domain_id: 'default' }
  for (const name of ['service', ...TENANTS]) await make('project', projects, name, domain)
  for (const name of [...SERVICE_USERS, ...TENANTS]) {
    await make('user', users, name, { ...domain, password: passwordOf(name) })
  }
  const grant = async (user: string, project: string, role: string): Promise<void> =>
    admin.put(`${V3}/projects/${projects.get(project)}/users/${users.get(user)}/roles/${roles.get(role)}`)
  for (const name of SERVICE_USERS) {
    await grant(name, 'service', 'admin')
    await grant(name, 'service', 'service')
  }
  for (const name of TENANTS) {
    await grant(name, name, 'member')
    await grant('admin', name, 'admin')
  }
  for (const { name, type, url } of SERVICES) {
    const { service } = await admin.post<{ service: Named }>(`${V3}/services`, { service: { name, type } })
    for (const kind of ['public', 'internal', 'admin']) {
      const endpoint = { service_id: service.id, interface: kind, url, region_id: REGION }
      await admin.post(`${V3}/endpoints`, { endpoint })
    }
  }
}
