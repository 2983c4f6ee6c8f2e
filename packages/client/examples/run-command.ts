/**
 * Runs a command in a new container and shows what it writes:
 * `./zund env node packages/client/examples/run-command.ts busybox echo hello`.
 *
 * Logs in with OS_AUTH_URL, OS_USERNAME, OS_PASSWORD and OS_PROJECT_NAME, as other clients do.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, passwordLogin } from '@zund/client'

const [image = 'busybox', ...command] = process.argv.slice(2)
const { OS_AUTH_URL: authUrl = '', OS_USERNAME: username = '', OS_PASSWORD: password = '' } = process.env
const { OS_PROJECT_NAME: project = '' } = process.env

const client = await connect({ auth: passwordLogin({ authUrl, username, password, project }) })
const { uuid } = await client.createContainer({ query: { run: true }, body: { image, command } })
try {
  for (;;) {
    const { status, status_reason: reason } = await client.showContainer({ ident: uuid })
    if (status === 'Error') throw new Error(reason ?? 'the container could not be made')
    if (status === 'Stopped') break
    await sleep(200)
  }
  process.stdout.write(await client.readLogs({ ident: uuid }))
} finally {
  await client.deleteContainer({ ident: uuid, query: { stop: true } })
}
