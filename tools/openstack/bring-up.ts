/** Runs on the controller of a cloud whose nodes are there: starts all services and fills them. */
import { writeFileSync } from 'node:fs'
import { fillCinder, fillGlance, fillNeutron } from './furnish.ts'
import { fillIdentity } from './identity.ts'
import { passwordOf, Places, REGION, URLS } from './places.ts'
import { startCinder } from './services/cinder.ts'
import { startDatabase } from './services/database.ts'
import { startEngines } from './services/engines.ts'
import { startGlance } from './services/glance.ts'
import { startHeat } from './services/heat.ts'
import { startKeystone } from './services/keystone.ts'
import { startNeutron } from './services/neutron.ts'
import { startNfs } from './services/nfs.ts'
import { startPlacement } from './services/placement.ts'
import { startQueue } from './services/queue.ts'

const places = new Places(process.argv[2] ?? '')

/** What one does not wait for another runs beside it: most of it is the start of Python. */
async function bringUp(): Promise<void> {
  const queue = timed('rabbitmq', startQueue(places))
  const nfs = timed('nfs', startNfs(places))
  const engines = timed('engines', startEngines(places))
  await timed('mariadb', startDatabase(places))
  const identity = (async () => {
    await timed('keystone', startKeystone(places))
    await timed('accounts', fillIdentity())
  })()
  const after = async (name: string, start: () => Promise<void>, fill?: () => Promise<void>): Promise<void> => {
    await timed(name, start())
    await identity
    await timed(`${name}, filled`, fill?.() ?? Promise.resolve())
  }
  await Promise.all([
    identity,
    engines,
    after('glance', async () => startGlance(places), fillGlance),
    after('placement', async () => startPlacement(places)),
    queue.then(async () => after('neutron', async () => startNeutron(places), fillNeutron)),
    queue.then(async () => timed('heat', startHeat(places))),
    Promise.all([queue, nfs]).then(async () => after('cinder', async () => startCinder(places), fillCinder)),
  ])
  writeFileSync(places.cloudsYaml, cloudsYaml())
}

async function timed(name: string, task: Promise<void>): Promise<void> {
  await task
  console.log(`${name.padEnd(20)}${(performance.now() / 1000).toFixed(1)} s`)
}

/** What is JSON is YAML too. */
function cloudsYaml(): string {
  const cloud = (user: string, project: string): object => ({
    region_name: REGION,
    identity_api_version: 3,
    auth: {
      auth_url: `${URLS.identity}/v3`,
      username: user,
      password: passwordOf(user),
      project_name: project,
      user_domain_name: 'Default',
      project_domain_name: 'Default',
    },
  })
  const names = ['admin', 'demo', 'alt_demo']
  const clouds = Object.fromEntries(names.map((name) => [name, cloud(name, name)]))
  return JSON.stringify({ clouds: { ...clouds, zun: cloud('zun', 'service') } })
}

try {
  await bringUp()
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exit(1)
}
process.exit(0)
