// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftSyntax
  import SwiftSyntaxBuilder
  import SwiftSyntaxMacros

  /// Implements `@Synchronized`: the lock is taken before the body and given back when the body is left.
  ///
  /// The body stays in its function, so that whatever may stand in a function may stand in it.
  struct SynchronizedMacro: BodyMacro {
    /// Formatting would move the body off the lines it was written on.
    static var formatMode: FormatMode { .disabled }

    static func expansion(
      of attribute: AttributeSyntax,
      providingBodyFor declaration: some DeclSyntaxProtocol & WithOptionalCodeBlockSyntax,
      in context: some MacroExpansionContext
    ) throws -> [CodeBlockItemSyntax] {
      let given = attribute.arguments?.as(LabeledExprListSyntax.self)?.first?.expression
      let problems = problems(of: declaration, attribute, isGivenALock: given != nil, in: context.lexicalContext)
      context.diagnose(problems)
      guard problems.isEmpty, let body = declaration.body else { return ["Swift.fatalError()"] }

      let lock = context.makeUniqueName("lock")
      let statements = context.inPlace(body.statements, after: declaration.returnsImplicitly ? "return " : "")
      var items: [CodeBlockItemSyntax] = []
      if let given {
        let value: ExprSyntax = given.is(KeyPathExprSyntax.self) ? "self[keyPath: \(given.trimmed)]" : given.trimmed
        items.append("let \(lock): any Pebble.Lockable = \(value)")
      } else {
        let own = context.makeUniqueName("Own")
        items.append("enum \(own) { static let lock = Pebble.Lock() }")
        items.append("let \(lock) = \(own).lock")
      }
      items.append("\(lock).lock()")
      items.append("defer { \(lock).unlock() }")
      items.append("\(raw: statements)")
      return items
    }

    private static func problems(
      of declaration: some DeclSyntaxProtocol & WithOptionalCodeBlockSyntax, _ attribute: AttributeSyntax,
      isGivenALock: Bool, in lexicalContext: [Syntax]
    ) -> [DiagnosticMessage] {
      if let function = declaration.as(FunctionDeclSyntax.self), function.body == nil {
        return [.noBody(function, attribute)]
      }
      guard declaration.is(FunctionDeclSyntax.self) || declaration.is(InitializerDeclSyntax.self) else {
        return [.notAFunction(declaration, attribute)]
      }
      if let specifier = declaration.effects?.asyncSpecifier {
        return [.heldAcrossAwait(specifier, attribute)]
      }
      if !isGivenALock, let generic = declaration.genericPlace ?? lexicalContext.compactMap(\.genericPlace).first {
        return [.needsLock(generic, attribute)]
      }
      return []
    }
  }

  extension DeclSyntaxProtocol {
    fileprivate var effects: FunctionEffectSpecifiersSyntax? {
      self.as(FunctionDeclSyntax.self)?.signature.effectSpecifiers
        ?? self.as(InitializerDeclSyntax.self)?.signature.effectSpecifiers
    }

    /// Whether the function's only statement is an expression that is its result.
    fileprivate var returnsImplicitly: Bool {
      guard let function = self.as(FunctionDeclSyntax.self), let type = function.signature.returnClause?.type,
        !["Void", "()"].contains(type.trimmedDescription),
        let statements = function.body?.statements, statements.count == 1, let only = statements.first?.item
      else { return false }
      switch only {
      case .expr(let expression): return !expression.isNeverReturning
      case .stmt(let statement): return statement.is(ExpressionStmtSyntax.self)
      case .decl: return false
      }
    }
  }

  extension ExprSyntax {
    /// Whether this is a call that fits any result since it does not return.
    fileprivate var isNeverReturning: Bool {
      let callee = self.as(FunctionCallExprSyntax.self)?.calledExpression.trimmedDescription
      return ["fatalError", "preconditionFailure", "Swift.fatalError", "exit", "abort"].contains(callee)
    }
  }

  extension SyntaxProtocol {
    /// What makes a declaration generic.
    fileprivate var genericPlace: Syntax? {
      if let declaration = asProtocol((any WithGenericParametersSyntax).self) {
        return declaration.genericParameterClause.map { Syntax($0) }
      }
      return self.as(ExtensionDeclSyntax.self)?.genericWhereClause.map { Syntax($0) }
    }
  }

  extension DiagnosticMessage {
    static func heldAcrossAwait(_ specifier: some SyntaxProtocol, _ attribute: AttributeSyntax) -> Self {
      Self(
        specifier,
        "'\(attribute.name)' would hold the lock of an 'async' function while others run on its thread; use an actor")
    }

    static func needsLock(_ generic: some SyntaxProtocol, _ attribute: AttributeSyntax) -> Self {
      Self(
        attribute,
        "a generic function or type has no place for a lock of its own; give one: '\(attribute.name)(lock)'")
    }
  }
#endif
