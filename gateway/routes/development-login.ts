import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { LoginRequest } from '#api/rest/auth'
import { PalisadeError } from '#core/problem'
import { AUTH } from '../limits/policy.ts'
import type { Profile } from '../profile.ts'
import { originOf } from '../request-origin.ts'
import type { DevelopmentLogin } from '../services/development-login.ts'

/** Refuses to be registered anywhere but in profile dev, whoever calls it. */
export const developmentLoginRoutes =
  (login: DevelopmentLogin, profile: Profile) => (app: FastifyInstance) => {
    if (profile !== 'dev') {
      throw new PalisadeError(
        'ERR_CONFIG_INVALID',
        `the development login does not exist in profile ${profile}`,
        { remedy: 'remove the list of development users' },
      )
    }
    app.withTypeProvider<TypeBoxTypeProvider>().post(
      '/api/v1/auth/login',
      {
        config: { access: 'public', limit: AUTH, audit: 'committed' },
        schema: { body: LoginRequest },
      },
      async (request) => login.login(request.body, originOf(request)),
    )
  }
