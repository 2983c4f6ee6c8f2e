import { mkdirSync } from 'node:fs'
import { command } from '../commands.ts'
import { answers, startDaemon } from '../daemons.ts'
import { writeIni } from '../ini.ts'
import { passwordOf, REGION, TRANSPORT_URL, URLS, type Places } from '../places.ts'
import { authentication } from './common.ts'
import { databaseOptions } from './database.ts'

/** Heat, whose resource OS::Zun::Container is a client of the service under test. */
export async function startHeat(places: Places): Promise<void> {
  mkdirSync(places.data('heat'))
  const file = writeIni(places.etc('heat.conf'), {
    DEFAULT: {
      use_stderr: true,
      transport_url: TRANSPORT_URL,
      num_engine_workers: 1,
      region_name_for_services: REGION,
      // What it does for a user after the request it does with a trust of theirs.
      deferred_auth_method: 'trusts',
      trusts_delegated_roles: '',
    },
    heat_api: { bind_host: '0.0.0.0', bind_port: new URL(URLS.orchestration).port, workers: 1 },
    paste_deploy: { api_paste_config: '/etc/heat/api-paste.ini' },
    database: databaseOptions('heat'),
    keystone_authtoken: authentication('heat'),
    clients_keystone: { auth_uri: URLS.identity },
    trustee: {
      auth_type: 'password',
      auth_url: URLS.identity,
      username: 'heat',
      password: passwordOf('heat'),
      user_domain_name: 'Default',
    },
    oslo_concurrency: { lock_path: places.data('heat') },
  })
  await command(places, ['heat-manage', '--config-file', file, 'db_sync'])
  startDaemon(places, { name: 'heat-engine', argv: ['heat-engine', '--config-file', file] })
  const api = startDaemon(places, { name: 'heat-api', argv: ['heat-api', '--config-file', file] })
  await api.ready(async () => answers(URLS.orchestration))
}
