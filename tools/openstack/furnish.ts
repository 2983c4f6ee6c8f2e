/** What a user finds in the cloud: an image, two networks, two types of volume. */
import { setTimeout as sleep } from 'node:timers/promises'
import { busyboxArchive } from './busybox-archive.ts'
import { TENANTS } from './identity.ts'
import { NODES, URLS } from './places.ts'
import { Account } from './rest.ts'

const REPORT_TIMEOUT_MS = 120_000
const POLL_MS = 250

export async function fillGlance(): Promise<void> {
  const admin = await Account.login('admin', 'admin')
  const image = { name: 'busybox', disk_format: 'raw', container_format: 'docker', visibility: 'public' }
  const { id } = await admin.post<{ id: string }>(`${URLS.image}/v2/images`, image)
  await admin.put(`${URLS.image}/v2/images/${id}/file`, await busyboxArchive())
}

export async function fillNeutron(): Promise<void> {
  const admin = await Account.login('admin', 'admin')
  const agents = ['dhcp-agent@node-1', ...NODES.map(({ name }) => `linuxbridge-agent@${name}`)]
  // A network that is made while no agent is known gets no DHCP before its first port.
  await until('the agents of Neutron have reported', async () => {
    const found = await admin.get<{ agents: { binary: string; host: string; alive: boolean }[] }>(
      `${URLS.network}/v2.0/agents`,
    )
    const alive = found.agents.filter((agent) => agent.alive).map(({ binary, host }) => `${binary}@${host}`)
    return agents.every((agent) => alive.includes(`neutron-${agent}`))
  })
  const demo = await Account.login('demo', 'demo')
  await makeNetwork(admin, { name: 'demo-net', project_id: demo.projectId }, 'demo-subnet', '10.20.0.0/24')
  await makeNetwork(admin, { name: 'shared-net', shared: true }, 'shared-subnet', '10.30.0.0/24')
  // A project has its default group from when it is first asked for.
  for (const name of TENANTS) await (await Account.login(name, name)).get(`${URLS.network}/v2.0/security-groups`)
}

async function makeNetwork(admin: Account, network: object, subnet: string, cidr: string): Promise<void> {
  const made = await admin.post<{ network: { id: string; project_id: string } }>(`${URLS.network}/v2.0/networks`, {
    network,
  })
  const { id, project_id } = made.network
  const body = { name: subnet, network_id: id, project_id, ip_version: 4, cidr }
  await admin.post(`${URLS.network}/v2.0/subnets`, { subnet: body })
}

export async function fillCinder(): Promise<void> {
  const admin = await Account.login('admin', 'admin')
  const base = `${URLS.volume}/v3/${admin.projectId}`
  const backend = { volume_backend_name: 'nfs' }
  await admin.post(`${base}/types`, { volume_type: { name: 'nfs', extra_specs: backend } })
  const shared = { name: 'shared', extra_specs: { ...backend, multiattach: '<is> True' } }
  await admin.post(`${base}/types`, { volume_type: shared })
  await until('the parts of Cinder have reported', async () => {
    const { services } = await admin.get<{ services: { binary: string; state: string }[] }>(`${base}/os-services`)
    const up = services.filter(({ state }) => state === 'up').map(({ binary }) => binary)
    return up.includes('cinder-scheduler') && up.includes('cinder-volume')
  })
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + REPORT_TIMEOUT_MS
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`still not so after ${REPORT_TIMEOUT_MS} ms: ${what}`)
    await sleep(POLL_MS)
  }
}
