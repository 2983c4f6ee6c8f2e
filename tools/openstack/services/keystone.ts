import { mkdirSync } from 'node:fs'
import { command } from '../commands.ts'
import { writeIni } from '../ini.ts'
import { passwordOf, REGION, URLS, type Places } from '../places.ts'
import { startWsgi } from './common.ts'
import { databaseOptions } from './database.ts'

export async function startKeystone(places: Places): Promise<void> {
  const file = writeIni(places.etc('keystone.conf'), {
    DEFAULT: { use_stderr: true, public_endpoint: URLS.identity },
    database: databaseOptions('keystone'),
    // Its users log in for each command they give: hashes that take long would be most of what all wait for.
    identity: { password_hash_rounds: 4 },
    cache: { enabled: true, backend: 'oslo_cache.dict' },
    token: { provider: 'fernet', expiration: 14_400 },
    fernet_tokens: { key_repository: places.data('keystone', 'fernet-keys') },
    credential: { key_repository: places.data('keystone', 'credential-keys') },
  })
  mkdirSync(places.data('keystone'))
  const manage = async (...args: readonly string[]): Promise<unknown> =>
    command(places, ['keystone-manage', '--config-file', file, ...args])
  await manage('db_sync')
  const owner = ['--keystone-user', 'root', '--keystone-group', 'root']
  await Promise.all([manage('fernet_setup', ...owner), manage('credential_setup', ...owner)])
  const addresses = ['public', 'internal', 'admin'].flatMap((kind) => [
    `--bootstrap-${kind}-url`,
    `${URLS.identity}/v3`,
  ])
  const account = ['--bootstrap-password', passwordOf('admin'), '--bootstrap-region-id', REGION]
  await manage('bootstrap', ...account, ...addresses)
  await startWsgi(places, {
    name: 'keystone',
    url: URLS.identity,
    program: '/usr/bin/keystone-wsgi-public',
    env: { OS_KEYSTONE_CONFIG_FILES: file },
    threads: 4,
  })
}
