import { openDocker } from '../support/docker-harness.ts'
import { engineSuite } from './engine.suite.ts'

engineSuite('DockerEngine', openDocker)
