import TensorCore

/// How many tensors `value` stores anywhere within it, as the language's reflection sees it: what a module's list
/// must not fall short of.
public func storedTensorCount(_ value: Any) -> Int {
  if value is Tensor { return 1 }
  return Mirror(reflecting: value).children.reduce(0) { $0 + storedTensorCount($1.value) }
}
