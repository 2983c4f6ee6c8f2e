/** Keystone as it is before somebody has set the service up: no user, no roles, nothing in the catalogue. */
import { account } from './accounts.ts'
import type { CloudUser } from './cloud-user.ts'

interface Identified {
  readonly id: string
}

interface Endpoint extends Identified {
  readonly interface: string
  readonly region_id: string
  readonly url: string
}

/** Answers what makes all as it was; whatever has been made of it meanwhile goes. */
export async function withoutService(admin: CloudUser): Promise<() => Promise<void>> {
  const list = async <T extends Identified = Identified>(what: string, query: string): Promise<T[]> =>
    (await admin.get<Record<string, T[]>>('identity', `/${what}?${query}`))[what] ?? []
  const { username, password } = account('zun')
  const remove = async (): Promise<void> => {
    for (const { id } of await list('services', 'type=container')) await admin.delete('identity', `/services/${id}`)
    for (const { id } of await list('users', `name=${username}`)) await admin.delete('identity', `/users/${id}`)
  }

  const [service] = await list('services', 'type=container')
  const endpoints = await list<Endpoint>('endpoints', `service_id=${service?.id}`)
  await remove()
  return async () => {
    await remove()
    const { service: made } = await admin.post<{ service: Identified }>('identity', '/services', {
      service: { name: 'zun', type: 'container' },
    })
    for (const { interface: kind, region_id, url } of endpoints) {
      const endpoint = { service_id: made.id, interface: kind, region_id, url }
      await admin.post('identity', '/endpoints', { endpoint })
    }
    const { user } = await admin.post<{ user: Identified }>('identity', '/users', {
      user: { name: username, password, domain_id: 'default' },
    })
    const [project] = await list('projects', 'name=service')
    for (const name of ['admin', 'service']) {
      const [role] = await list('roles', `name=${name}`)
      await admin.put('identity', `/projects/${project?.id}/users/${user.id}/roles/${role?.id}`, {})
    }
  }
}
