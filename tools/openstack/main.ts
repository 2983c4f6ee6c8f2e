/** A cloud for tests that stays until it is told to go: `up`, `down`, `enter COMMAND...`. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { installTools } from '../test/needs.ts'
import { OpenStackCloud } from './cloud.ts'
import { lastingCloud } from './shared-cloud.ts'

const root = join(import.meta.dirname, '../..')
const DIRECTORY = lastingCloud(root)

async function main([word, ...rest]: readonly string[]): Promise<number> {
  const found = OpenStackCloud.find(DIRECTORY)
  if (word === 'up') {
    const { signal } = new AbortController()
    await installTools(root, ['openstack'], { signal })
    const cloud = found ?? (await OpenStackCloud.start({ directory: DIRECTORY, tied: false, signal }))
    console.log(`the services run; their accounts are in ${cloud.places.cloudsYaml}`)
    return 0
  }
  if (word === 'down') {
    await found?.stop()
    return 0
  }
  if (word === 'enter') {
    if (found === undefined) throw new Error('they do not run; start them with: up')
    const env = { ...process.env, OS_CLIENT_CONFIG_FILE: found.places.cloudsYaml }
    const [file = '', ...args] = [...found.enter, ...rest]
    return spawnSync(file, args, { stdio: 'inherit', env }).status ?? 1
  }
  console.error('usage: node tools/openstack/main.ts up | down | enter COMMAND [ARGUMENT...]')
  return 2
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(`zund: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
