import type { CloudUser, ServiceType } from './cloud-user.ts'

interface Endpoint {
  readonly id: string
  readonly url: string
}

/** Lets a service of the usual region be elsewhere for a while. The function that is given puts it back. */
export async function lendEndpoint(admin: CloudUser, type: ServiceType, url: string): Promise<() => Promise<void>> {
  const { services } = await admin.get<{ services: { id: string }[] }>('identity', `/services?type=${type}`)
  const [service] = services
  if (service === undefined) throw new Error(`the catalogue has no ${type}`)
  const query = `service_id=${service.id}&region_id=${admin.account.region}`
  const { endpoints } = await admin.get<{ endpoints: Endpoint[] }>('identity', `/endpoints?${query}`)
  const move = async (id: string, to: string): Promise<void> => {
    await admin.patch('identity', `/endpoints/${id}`, { endpoint: { url: to } })
  }
  for (const { id } of endpoints) await move(id, url)
  return async () => {
    for (const endpoint of endpoints) await move(endpoint.id, endpoint.url)
  }
}
