// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftDiagnostics
  import SwiftSyntax
  import SwiftSyntaxMacros

  /// Implements `#process`.
  ///
  /// The function goes into a closure that converts to a C function pointer: that pointer is what names the function to
  /// a worker process, and the conversion is what makes the compiler refuse captures.
  struct ProcessMacro: ExpressionMacro {
    /// Formatting would move the closure off the lines it was written on.
    static var formatMode: FormatMode { .disabled }

    static func expansion(
      of macro: some FreestandingMacroExpansionSyntax, in context: some MacroExpansionContext
    ) throws -> ExprSyntax {
      guard let function = macro.trailingClosure.map(ExprSyntax.init) ?? macro.arguments.first?.expression else {
        throw MacroExpansionErrorMessage("'#process' needs a function or a closure")
      }
      if let closure = function.as(ClosureExprSyntax.self) {
        return try expansion(of: closure, in: context)
      }
      return """
        Pebble.ProcessFunction(name: \(literal: name(of: function)), \
        entry: { Pebble.ProcessCall($0).run(\(function.trimmed)) })
        """
    }

    private static func expansion(
      of closure: ClosureExprSyntax, in context: some MacroExpansionContext
    ) throws -> ExprSyntax {
      if let problem = DiagnosticMessage.untypedParameters(of: closure) {
        throw DiagnosticsError(diagnostics: [problem.diagnostic])
      }
      let captures = captures(of: closure)
      guard captures.isEmpty else { throw DiagnosticsError(diagnostics: captures.map(\.diagnostic)) }
      if context.isInMainFile(closure) {
        context.diagnose(freeVariables(of: closure).map(DiagnosticMessage.mayBeMissingInWorkers))
      }
      let call = context.inPlace(closure, after: "return Pebble.ProcessCall($0).run(", before: ")")
      return """
        Pebble.ProcessFunction(name: \(literal: name(of: closure, in: context)), entry: {
        \(raw: call)
        })
        """
    }

    /// An error about each variable that `closure` says it captures, and about the first mention of `self`.
    ///
    /// What else it captures is not to be seen in it; the compiler refuses that.
    private static func captures(of closure: ClosureExprSyntax) -> [DiagnosticMessage] {
      var captures =
        closure.signature?.capture?.items.map { item in
          DiagnosticMessage.captured(item, item.tokens(viewMode: .sourceAccurate).first(where: \.isName)?.text ?? "")
        } ?? []
      if let token = closure.statements.firstSelf { captures.append(.captured(token, "self")) }
      return captures
    }

    /// The source text of `function`, without the type it is cast to.
    private static func name(of function: ExprSyntax) -> String {
      if let cast = function.as(AsExprSyntax.self) {
        return name(of: cast.expression)
      }
      if let parenthesized = function.as(TupleExprSyntax.self), parenthesized.elements.count == 1,
        let element = parenthesized.elements.first
      {
        return name(of: element.expression)
      }
      // Macro arguments arrive unfolded: `f as T` is a list of `f`, `as`, and `T`.
      if let sequence = function.as(SequenceExprSyntax.self), let first = sequence.elements.first,
        sequence.elements.dropFirst().first?.is(UnresolvedAsExprSyntax.self) == true
      {
        return name(of: first)
      }
      return function.trimmedDescription
    }

    private static func name(of closure: ClosureExprSyntax, in context: some MacroExpansionContext) -> String {
      guard let location = context.location(of: closure),
        let file = location.file.as(StringLiteralExprSyntax.self)?.representedLiteralValue
      else {
        return "closure"
      }
      return "closure at \(file.split(separator: "/").last ?? "?"):\(location.line.trimmedDescription)"
    }

    /// The first mention in `closure` of each name that it does not itself declare, and that may be a global variable.
    ///
    /// This is a guess from the spelling: called functions and capitalized names are left out, shadowing is ignored.
    private static func freeVariables(of closure: ClosureExprSyntax) -> [DeclReferenceExprSyntax] {
      var declared: Set<String> = []
      var references: [DeclReferenceExprSyntax] = []
      closure.forEachDescendant { node in
        switch node.as(SyntaxEnum.self) {
        case .identifierPattern(let pattern): declared.insert(pattern.identifier.text)
        case .closureShorthandParameter(let parameter): declared.insert(parameter.name.text)
        case .closureParameter(let parameter): declared.insert((parameter.secondName ?? parameter.firstName).text)
        case .functionParameter(let parameter): declared.insert((parameter.secondName ?? parameter.firstName).text)
        case .functionDecl(let function): declared.insert(function.name.text)
        case .declReferenceExpr(let reference) where reference.mayBeGlobalVariable: references.append(reference)
        default: break
        }
      }
      return references.filter { declared.insert($0.baseName.text).inserted }
    }
  }

  extension SyntaxProtocol {
    /// Calls `body` with every node below this one, in source order.
    fileprivate func forEachDescendant(_ body: (Syntax) -> Void) {
      for child in children(viewMode: .sourceAccurate) {
        body(child)
        child.forEachDescendant(body)
      }
    }

    /// The first `self` that does not belong to a type declared below this node.
    var firstSelf: TokenSyntax? {
      if let token = self.as(TokenSyntax.self), token.tokenKind == .keyword(.self) {
        return token.parent?.is(DeclReferenceExprSyntax.self) == true && !token.isMemberName ? token : nil
      }
      if isProtocol((any DeclGroupSyntax).self) { return nil }
      return children(viewMode: .sourceAccurate).lazy.compactMap(\.firstSelf).first
    }

    /// Whether this is the name in `value.name`.
    private var isMemberName: Bool {
      guard let reference = parent?.as(DeclReferenceExprSyntax.self) else { return false }
      return reference.parent?.as(MemberAccessExprSyntax.self)?.declName == reference
    }

    /// The first of `$0`, `$1`, … that belongs to the closure around this node.
    var firstAnonymousArgument: TokenSyntax? {
      if let token = self.as(TokenSyntax.self), case .dollarIdentifier = token.tokenKind {
        return token
      }
      if self.is(ClosureExprSyntax.self) {
        return nil
      }
      return children(viewMode: .sourceAccurate).lazy.compactMap(\.firstAnonymousArgument).first
    }
  }

  extension TokenSyntax {
    fileprivate var isName: Bool {
      if case .identifier = tokenKind { true } else { tokenKind == .keyword(.self) }
    }
  }

  extension DeclReferenceExprSyntax {
    fileprivate var mayBeGlobalVariable: Bool {
      guard case .identifier(let name) = baseName.tokenKind, name.first?.isUppercase == false, argumentNames == nil
      else {
        return false
      }
      let isMember = parent?.as(MemberAccessExprSyntax.self)?.declName == self
      let isCalled = parent?.as(FunctionCallExprSyntax.self)?.calledExpression == ExprSyntax(self)
      return !isMember && !isCalled && parent?.is(KeyPathPropertyComponentSyntax.self) == false
    }
  }
#endif
