/** Volumes of Cinder as their owner sees them, past the service under test. */
import { until } from '../../support/until.ts'
import type { CloudUser } from './cloud-user.ts'

export interface Volume {
  readonly id: string
  readonly name: string | null
  readonly status: string
  readonly size: number
  readonly attachments: readonly { readonly server_id: string }[]
}

export async function showVolume(user: CloudUser, id: string): Promise<Volume> {
  return (await user.get<{ volume: Volume }>('volumev3', `/volumes/${id}`)).volume
}

export async function volumesOf(user: CloudUser): Promise<readonly Volume[]> {
  return (await user.get<{ volumes: Volume[] }>('volumev3', '/volumes/detail')).volumes
}

/** One of a GiB, from when it can be used. */
export async function makeVolume(user: CloudUser, name: string, more: object = {}): Promise<string> {
  const { volume } = await user.post<{ volume: Volume }>('volumev3', '/volumes', { volume: { size: 1, name, ...more } })
  await until('the volume is there', async () => (await showVolume(user, volume.id)).status === 'available')
  return volume.id
}

/** As soon as nobody has it. */
export async function dropVolume(user: CloudUser, id: string): Promise<void> {
  await until('the volume is free', async () => (await showVolume(user, id)).status === 'available')
  await user.delete('volumev3', `/volumes/${id}`)
}

/** Who has it attached, as Cinder tells its owner. */
export async function holdersOf(user: CloudUser, id: string): Promise<readonly string[]> {
  return (await showVolume(user, id)).attachments.map(({ server_id: server }) => server)
}
