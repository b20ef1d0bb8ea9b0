/// The names that a pickle of tensors may contain. None of them is ever looked up or run: each only says what kind of data
/// its arguments are.
enum PickleGlobals {
  static func allow(_ path: String) -> Bool {
    names.contains(path) || storageType(path) != nil || dtype(path) != nil
      || dictionaries.contains(path) || rebuilders.contains(path) || path == parameterDictionary
      || isScripted(path) || path.hasPrefix("torch.jit._pickle.")
  }

  /// A class of an archive of TorchScript: what its objects hold is data, its code lies beside it and is not looked at.
  static func isScripted(_ path: String) -> Bool { path.hasPrefix("__torch__.") }

  /// Rebuilt from a storage or from another tensor.
  static let rebuilders: Set<String> = [
    "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_tensor_v3", "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state", "torch.nn.parameter.Parameter",
    "torch._tensor._rebuild_from_type_v2",
  ]

  /// Dictionaries, and classes that are one.
  static let dictionaries: Set<String> = [
    "collections.OrderedDict", "collections.defaultdict", "collections.Counter",
    "builtins.dict", "__builtin__.dict", "pytorch_lightning.utilities.parsing.AttributeDict",
    "lightning_fabric.utilities.data.AttributeDict",
    "lightning.fabric.utilities.data.AttributeDict",
  ]

  /// A module that holds parameters by name, as the first files of textual inversion have them.
  static let parameterDictionary = "torch.nn.modules.container.ParameterDict"

  /// Names of types, and calls whose result says nothing about tensors (scalars of NumPy, settings).
  private static let names: Set<String> = [
    "torch.Size", "torch.Tensor", "torch.device", "torch.serialization._get_layout",
    "_codecs.encode", "argparse.Namespace", "collections.deque",
    "builtins.set", "builtins.frozenset", "builtins.list", "builtins.tuple", "builtins.int",
    "builtins.float", "builtins.bool", "builtins.str", "builtins.complex", "builtins.bytearray",
    "__builtin__.set", "__builtin__.frozenset", "__builtin__.list", "__builtin__.tuple",
    "__builtin__.int", "__builtin__.long", "__builtin__.float", "__builtin__.bool",
    "numpy.dtype", "numpy.ndarray", "numpy.core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct", "numpy._core.multiarray.scalar",
    "numpy._core.multiarray._reconstruct",
    "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
    "pytorch_lightning.callbacks.early_stopping.EarlyStopping",
  ]

  /// The type of elements of a storage class: nil where it is none, `.some(nil)` where its elements are bytes.
  static func storageType(_ path: String) -> StoredType?? {
    switch path {
    case "torch.storage.UntypedStorage", "torch.storage._UntypedStorage", "torch.UntypedStorage",
      "torch.storage.TypedStorage", "torch.storage._TypedStorage":
      return .some(nil)
    default: break
    }
    guard path.hasSuffix("Storage") else { return nil }
    for module in ["torch.cuda.", "torch."] where path.hasPrefix(module) {
      return storages[String(path.dropFirst(module.count).dropLast(7))].map { .some($0) }
    }
    return nil
  }

  private static let storages: [String: StoredType] = [
    "Double": .float64, "Float": .float32, "Half": .float16, "BFloat16": .bfloat16,
    "Long": .int64, "Int": .int32, "Short": .int16, "Char": .int8, "Byte": .uint8, "Bool": .bool,
    "ComplexDouble": .complex128, "ComplexFloat": .complex64,
  ]

  /// The element type of one of PyTorch's dtypes.
  static func dtype(_ path: String) -> StoredType? {
    path.hasPrefix("torch.") ? dtypes[String(path.dropFirst(6))] : nil
  }

  private static let dtypes: [String: StoredType] = [
    "float64": .float64, "float32": .float32, "float16": .float16, "bfloat16": .bfloat16,
    "float8_e4m3fn": .float8e4m3, "float8_e5m2": .float8e5m2, "float8_e8m0fnu": .float8e8m0,
    "float8_e4m3fnuz": .float8e4m3fnuz, "float8_e5m2fnuz": .float8e5m2fnuz,
    "int64": .int64, "int32": .int32, "int16": .int16, "int8": .int8,
    "uint64": .uint64, "uint32": .uint32, "uint16": .uint16, "uint8": .uint8, "bool": .bool,
    "complex64": .complex64, "complex128": .complex128,
  ]
}
