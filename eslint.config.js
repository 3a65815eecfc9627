import eslint from '@eslint/js'
import tseslint from 'typescript-eslint'

// Caps keep a function readable in one screen; a file that needs more is two files.
const caps = {
  complexity: ['error', 15],
  'max-depth': ['error', 4],
  'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
  'max-params': ['error', 5],
}

// Only gateway/store and gateway/sealer may contain SQL, and they never build a statement from strings: see docs/threat-model.md.
const sqlFromStrings = {
  selector:
    'TemplateLiteral[expressions.length>0] > TemplateElement:first-child[value.raw=/^\\s*(select|insert|update|delete|alter|create|drop|grant)\\s/i]',
  message: 'SQL is never built from strings: pass values as parameters.',
}

export default tseslint.config(
  { ignores: ['node_modules/**', 'eslint.config.js', 'test/fixtures/**'] },
  eslint.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      ...caps,
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      'no-restricted-syntax': ['error', sqlFromStrings],
    },
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts'],
    rules: {
      'max-lines': 'off',
      // Tests name tables and roles they made themselves, which no parameter can carry.
      'no-restricted-syntax': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
)
