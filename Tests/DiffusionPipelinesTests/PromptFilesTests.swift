import DiffusionPipelines
import Foundation
import TestSupport
import Testing

/// Adapters and learned words that prompts name, as in AUTOMATIC1111's web UI.
@Suite struct PromptFilesTests {
  @Test(arguments: [
    ("a fox <lora:ink:0.7>, snow", "a fox , snow", LoRATag(name: "ink", textWeight: 0.7)),
    ("<lora:ink>", "", LoRATag(name: "ink")),
    (
      "<lora:my style v1.2:-1:0.5>", "",
      LoRATag(name: "my style v1.2", textWeight: -1, unetWeight: 0.5)
    ),
    ("<lyco:a:unet=0.5>", "", LoRATag(name: "a", textWeight: 1, unetWeight: 0.5)),
    ("<lora:a:0.5:te=0.25>", "", LoRATag(name: "a", textWeight: 0.25, unetWeight: 0.25)),
    ("<lora:a:0.5:0.75:te=0>", "", LoRATag(name: "a", textWeight: 0, unetWeight: 0.75)),
  ])
  func tagsAreTakenOut(_ prompt: String, _ rest: String, _ tag: LoRATag) throws {
    var prompt = prompt
    #expect(try LoRATag.taken(from: &prompt) == [tag])
    #expect(prompt == rest)
    var written = "\(tag)"
    #expect(try LoRATag.taken(from: &written) == [tag])
  }

  @Test(arguments: [
    ("<lora::1>", "expected <lora:NAME:WEIGHT>"), ("<lora:a:x>", "expected <lora:NAME:WEIGHT>"),
    ("<lora:a:1:2:3>", "expected <lora:NAME:WEIGHT>"),
    ("<lora:a:dyn=4>", "expected <lora:NAME:WEIGHT>"),
    ("<hypernet:a:1>", "there are no hypernetworks here"),
  ])
  func tagsThatAreNotUnderstoodAreRefused(_ prompt: String, _ words: String) {
    var prompt = prompt
    let error = #expect(throws: PipelineError.self) { try LoRATag.taken(from: &prompt) }
    #expect(error?.description.contains(words) == true, "\(String(describing: error))")
  }

  /// Names lead to files of the folder, those in folders within it too; what is not there is said with what is.
  @Test func namesAreFound() throws {
    let folder = try TemporaryFolder()
    for name in [
      "ink.safetensors", "old/wash.pt", "twice.pt", "more/twice.safetensors", "read.txt",
    ] {
      try folder.file(name, "x")
    }
    func find(_ prompt: String, _ negative: String = "") throws -> PromptFiles {
      try PromptFiles(
        prompt: prompt, negative: negative, model: "/nowhere/model", adapterFolder: folder.path,
        wordFolder: folder.path)
    }
    let files = try find("a <lora:wash:0.5:1> and <lora:ink>, embedding:ink", "(wash:1.2), washed")
    #expect(
      files.adapters == [
        LoRAFile(path: folder.path + "/old/wash.pt", weight: 1, textWeight: 0.5),
        LoRAFile(path: folder.path + "/ink.safetensors"),
      ])
    #expect(files.prompt == "a  and , ink" && files.negative == "(wash:1.2), washed")
    #expect(files.words == ["/ink.safetensors", "/old/wash.pt"].map { folder.path + $0 })
    #expect(files.adapterFolder == folder.path && files.wordFolder == folder.path)
    let plain = try find("washed inks")
    #expect(plain.words.isEmpty && plain.adapterFolder == nil && plain.wordFolder == nil)
    for (prompt, words) in [
      (
        "<lora:pen:1>",
        "<lora:pen:1>: there is no pen in \(folder.path), which has ink, twice, wash"
      ),
      ("<lora:twice:1>", "there is more than one"), ("embedding:pen", "there is no pen"),
    ] {
      let error = #expect(throws: PipelineError.self) { try find(prompt) }
      #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }
    #expect(throws: PipelineError.self) { try find("a", "<lora:ink>") }
  }

  /// The folders of other tools beside a model are found, as the one that is given goes before them.
  @Test func foldersBesideAModelAreFound() throws {
    let folder = try TemporaryFolder()
    try folder.file("models/Lora/ink.safetensors", "x")
    try folder.file("embeddings/bad.pt", "x")
    try folder.file("models/Stable-diffusion/sd.safetensors", "x")
    let model = folder.path + "/models/Stable-diffusion/sd.safetensors"
    let files = try PromptFiles(prompt: "<lora:ink:1>", negative: "bad", model: model)
    #expect(files.adapters.map(\.path) == [folder.path + "/models/Lora/ink.safetensors"])
    #expect(files.words == [folder.path + "/embeddings/bad.pt"])
    let error = #expect(throws: PipelineError.self) {
      try PromptFiles(prompt: "<lora:ink:1>", model: "/nowhere/a/b")
    }
    #expect(error?.description.contains("--lora-dir") == true)
    #expect(throws: PipelineError.self) {
      try PromptFiles(prompt: "a", model: model, adapterFolder: folder.path + "/none")
    }
  }

  /// A tag draws what the file with its weights draws; both weights count.
  @Test func tagsDrawWhatFilesDraw() async throws {
    let model = try LatentPipelineTests.model(scheduler: "ddim")
    let named = try PromptFiles(
      prompt: "a red cat<lora:kohya:0.7>", model: "/nowhere", adapterFolder: AdapterTests.folder)
    #expect(named.prompt == "a red cat")
    try await AdapterTests.expectPicture(model.applying(named.adapters), "lora")
    let apart = try model.applying([
      LoRAFile(path: named.adapters[0].path, weight: 0.7, textWeight: 0)
    ])
    #expect(
      apart.texts[0].encoder.parameters().map { $0.tensor.doubles }
        == model.texts[0].encoder.parameters().map { $0.tensor.doubles })
    expectClose(
      try AdapterTests.answer(apart), try AdapterTests.expected("unet_lora"), tolerance: 1e-4)
  }
}
