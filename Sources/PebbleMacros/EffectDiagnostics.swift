// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftDiagnostics
  import SwiftSyntax

  // MARK: - Effects and results

  extension DiagnosticMessage {
    static func notAsyncThrows(_ function: FunctionDeclSyntax, _ attribute: AttributeSyntax) -> Self {
      let effects = function.signature.effectSpecifiers
      let missing = [
        effects?.asyncSpecifier == nil ? "async" : nil, effects?.throwsClause == nil ? "throws" : nil,
      ].compactMap { $0 }.joined(separator: " ")
      return Self(
        function.name,
        "'\(attribute.name)' needs '\(function.plainName)' to be 'async throws', or to return a 'ProcessFuture'",
        fixIts: function.offer("add '\(missing)'", effects: .asyncThrows))
    }

    static func typedThrows(_ clause: ThrowsClauseSyntax, _ type: TypeSyntax, _ function: FunctionDeclSyntax) -> Self {
      Self(
        clause,
        "'\(function.plainName)' throws '\(type.trimmedDescription)' only, but a call to a worker process can also "
          + "time out or find the worker dead; use 'throws'",
        fixIts: function.offer("use 'throws'", effects: .asyncThrows))
    }

    static func rethrowing(_ clause: ThrowsClauseSyntax, _ function: FunctionDeclSyntax) -> Self {
      Self(
        clause, "'\(function.plainName)' is 'rethrows', but a call to a worker process can always fail; use 'throws'",
        fixIts: function.offer("use 'throws'", effects: .asyncThrows))
    }

    static func effectsOfFuture(_ effects: FunctionEffectSpecifiersSyntax, _ function: FunctionDeclSyntax) -> Self {
      let text = effects.trimmedDescription
      return Self(
        effects,
        "'\(function.plainName)' returns its 'ProcessFuture' at once and cannot be '\(text)'; "
          + "its body may throw and await all the same",
        fixIts: function.offer("remove '\(text)'", effects: nil))
    }

    static func opaqueResult(_ type: SomeOrAnyTypeSyntax, _ function: FunctionDeclSyntax) -> Self {
      Self(
        type,
        "'\(function.plainName)' has the opaque result '\(type.trimmedDescription)', "
          + "so the caller would not know what to decode; name a concrete type")
    }
  }

  extension FunctionDeclSyntax {
    /// The offer to replace the effects in this function's signature.
    func offer(_ message: String, effects: FunctionEffectSpecifiersSyntax?) -> [FixIt] {
      var signature = signature
      if var effects {
        effects.leadingTrivia = signature.parameterClause.trailingTrivia.isEmpty ? .space : []
        signature.effectSpecifiers = effects
      } else {
        signature.effectSpecifiers = nil
      }
      return FixIt.replacing(self.signature, by: signature, message)
    }
  }

  extension FunctionEffectSpecifiersSyntax {
    static var asyncThrows: Self {
      Self(
        asyncSpecifier: .keyword(.async, trailingTrivia: .space),
        throwsClause: ThrowsClauseSyntax(throwsSpecifier: .keyword(.throws, trailingTrivia: .space)))
    }
  }
#endif
