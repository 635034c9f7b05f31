// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftParser
  import SwiftSyntax
  import SwiftSyntaxBuilder
  import SwiftSyntaxMacros

  /// A function that a worker process can run, and the pieces of source that its expansion is made of.
  struct DecoratedFunction {
    /// How the caller gets the result.
    enum Form {
      /// The function is `async throws` and returns the result.
      case asynchronous
      /// The function returns a `ProcessFuture` at once.
      case future
    }

    /// One parameter as the function's callers and its body see it.
    struct Parameter {
      /// The argument label followed by a colon and a space, or nothing.
      var label: String
      /// The name in the body, quoted if it is a keyword.
      var name: String
      /// The type without ownership specifiers.
      var type: String
    }

    /// The function as declared.
    var declaration: FunctionDeclSyntax

    /// The body as written.
    var body: CodeBlockSyntax

    /// How the caller gets the result.
    var form: Form

    /// The parameters, without `self`.
    var parameters: [Parameter]

    /// The type that a worker process sends back.
    var result: String

    /// The type that the function is a member of, spelled from the outermost type on.
    var owner: String?

    /// Checks that a worker process can run the function, and says why if it cannot.
    ///
    /// - Parameters:
    ///   - declaration: The declaration that the attribute is attached to.
    ///   - attribute: The attribute that is being expanded.
    ///   - context: Where to find out about the surroundings of `declaration`, and where to report to.
    init?(
      _ declaration: some DeclSyntaxProtocol, decoratedBy attribute: AttributeSyntax,
      in context: some MacroExpansionContext
    ) {
      guard let function = declaration.as(FunctionDeclSyntax.self) else {
        context.diagnose([.notAFunction(declaration, attribute)])
        return nil
      }
      let problems = function.problems(for: attribute, in: context.lexicalContext)
      context.diagnose(problems)
      guard problems.isEmpty, let body = function.body else {
        return nil
      }
      let type = function.signature.returnClause?.type
      self.declaration = function
      self.body = body
      self.form = type?.futureValue == nil ? .asynchronous : .future
      self.parameters = function.signature.parameterClause.parameters.map(Parameter.init)
      self.result = type?.futureValue ?? type?.valueType ?? "Void"
      self.owner = context.lexicalContext.typeName
    }
  }

  // MARK: - Names

  extension DecoratedFunction {
    /// The name of the local function that holds the original body.
    var bodyName: String {
      let name = "\(declaration.plainName)__body"
      return name.isValidSwiftIdentifier(for: .variableName) ? name : "`\(name)`"
    }

    /// The function as its entry names it.
    var callee: String {
      let name = declaration.name.trimmedDescription
      let base = instanceType == nil ? owner : selfName
      return base.map { "\($0).\(name)" } ?? name
    }

    /// The name by which an entry knows the instance whose method it calls.
    private var selfName: String {
      var name = "_self"
      while parameters.contains(where: { $0.name == name }) {
        name = "_" + name
      }
      return name
    }

    /// The type of the instance whose method this is, or `nil` if it needs none.
    private var instanceType: String? {
      declaration.isStatic ? nil : owner
    }
  }

  // MARK: - Parameters and arguments

  extension DecoratedFunction {
    /// The arguments of a call, from the parameters of the same names.
    var forwardedArguments: String {
      parameters.map { $0.label + $0.name }.joined(separator: ", ")
    }

    /// The parameters of the entry's closure. A method's instance comes first.
    var closureParameters: String {
      let instance = instanceType.map { ["\(selfName): \($0)"] } ?? []
      return (instance + parameters.map { "\($0.name): \($0.type)" }).joined(separator: ", ")
    }

    /// What is sent to a worker process, in the order of ``closureParameters``.
    var values: [String] {
      (instanceType == nil ? [] : ["self"]) + parameters.map(\.name)
    }
  }

  extension DecoratedFunction.Parameter {
    fileprivate init(_ parameter: FunctionParameterSyntax) {
      let name = (parameter.secondName ?? parameter.firstName).text
      self.label = parameter.firstName.tokenKind == .wildcard ? "" : "\(parameter.firstName.asLabel): "
      self.name = name.isValidSwiftIdentifier(for: .variableName) ? name : "`\(name)`"
      // Ownership is between a function and its callers; an entry receives its arguments from a decoder.
      self.type = (parameter.type.as(AttributedTypeSyntax.self)?.baseType ?? parameter.type).valueType
    }
  }

  extension TokenSyntax {
    /// The name as an argument label, where few names need backticks, and others with them give a warning.
    fileprivate var asLabel: String {
      let name = text.filter { $0 != "`" }
      let needsBackticks = ["inout", "let", "var"].contains(name) || !name.isValidSwiftIdentifier(for: .memberAccess)
      return needsBackticks ? "`\(name)`" : name
    }
  }

  // MARK: - The body

  extension DecoratedFunction {
    /// Whether the body itself suspends, as opposed to closures and functions within it.
    var suspends: Bool {
      form == .asynchronous || body.statements.suspends
    }

    /// The signature of the local function that holds the original body.
    ///
    /// Default values are left out: the decorated function passes all arguments.
    var bodySignature: String {
      var parameterClause = declaration.signature.parameterClause
      parameterClause.parameters = FunctionParameterListSyntax(
        parameterClause.parameters.map { parameter in
          guard parameter.defaultValue != nil else { return parameter }
          return parameter.with(\.defaultValue, nil).with(\.type, parameter.type.trimmed)
        })
      let effects = suspends ? "async throws" : "throws"
      return "\(parameterClause.trimmedDescription) \(effects) -> \(result)"
    }

    /// The global actor in the function's attributes, followed by a space, or nothing.
    ///
    /// Only the main actor can be told from other attributes by its spelling.
    var globalActor: String {
      let names = declaration.attributes.compactMap { $0.as(AttributeSyntax.self)?.attributeName.trimmedDescription }
      return names.contains("MainActor") ? "@MainActor " : ""
    }
  }

  extension SyntaxProtocol {
    var suspends: Bool {
      if self.is(ClosureExprSyntax.self) || self.is(FunctionDeclSyntax.self) || isProtocol((any DeclGroupSyntax).self) {
        return false
      }
      if let token = self.as(TokenSyntax.self) {
        return token.tokenKind == .keyword(.await)
      }
      if let variable = self.as(VariableDeclSyntax.self),
        variable.modifiers.contains(where: { $0.name.tokenKind == .keyword(.async) })
      {
        return true
      }
      return children(viewMode: .sourceAccurate).contains(where: \.suspends)
    }
  }

  // MARK: - Types

  extension TypeSyntax {
    /// The source of the type of a closure's parameter or result, where an optional is never unwrapped implicitly.
    fileprivate var valueType: String {
      self.as(ImplicitlyUnwrappedOptionalTypeSyntax.self).map { "\($0.wrappedType.trimmedDescription)?" }
        ?? trimmedDescription
    }

    /// The source of `Value` if this is `ProcessFuture<Value>`, or by its other name `Future<Value>`.
    var futureValue: String? {
      let arguments: GenericArgumentClauseSyntax?
      switch self.as(TypeSyntaxEnum.self) {
      case .identifierType(let type) where ["ProcessFuture", "Future"].contains(type.name.text):
        arguments = type.genericArgumentClause
      case .memberType(let type) where ["ProcessFuture", "Future"].contains(type.name.text):
        arguments = type.genericArgumentClause
      default:
        return nil
      }
      return arguments?.arguments.first?.argument.trimmedDescription
    }
  }

  extension [Syntax] {
    /// The name of the innermost type of a lexical context, if the context is directly that type.
    var typeName: String? {
      let names = prefix { $0.isProtocol((any DeclGroupSyntax).self) }.map(\.declaredName)
      return names.isEmpty ? nil : names.reversed().joined(separator: ".")
    }
  }
#endif
