import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { command } from '../commands.ts'
import { writeIni } from '../ini.ts'
import { URLS, type Places } from '../places.ts'
import { authentication, startWsgi } from './common.ts'
import { databaseOptions } from './database.ts'

export async function startPlacement(places: Places): Promise<void> {
  const file = places.etc('placement/placement.conf')
  mkdirSync(dirname(file))
  writeIni(file, {
    DEFAULT: { use_stderr: true },
    api: { auth_strategy: 'keystone' },
    placement_database: databaseOptions('placement'),
    keystone_authtoken: authentication('placement'),
  })
  await command(places, ['placement-manage', '--config-file', file, 'db', 'sync'])
  await startWsgi(places, {
    name: 'placement',
    url: URLS.placement,
    program: '/usr/bin/placement-api',
    env: { OS_PLACEMENT_CONFIG_DIR: dirname(file) },
    threads: 2,
  })
}
