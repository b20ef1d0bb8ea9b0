import Diffusion
import DiffusionModels
import DiffusionPipelines
import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

@Suite struct ModelLocationTests {
  func load(_ path: String) throws -> (model: PixelModel, notes: [String]) {
    var notes: [String] = []
    let model = try ModelLocation.path(path).load(notes: &notes)
    return (model, notes)
  }

  func expectSame(_ found: PixelModel, _ expected: PixelModel) {
    #expect(found.configuration == expected.configuration)
    let pairs = zip(found.network.parameters(), expected.network.parameters())
    for (one, other) in pairs { #expect(one.tensor.floats == other.tensor.floats, "\(one.name)") }
  }

  @Test func readsAnExportedModelAndATrainingRunsFolder() throws {
    let folder = try TemporaryFolder()
    var process = ProcessConfiguration()
    process.parameterization = .velocity
    let model = try SmallModel.unconditional(process)
    try model.export(to: folder.path + "/checkpoint-00000100.safetensors", prefix: "ema")
    expectSame(try load(folder.path).model, model)
    let other = try SmallModel.classes()
    try other.export(to: folder.path + "/checkpoint-00000200.safetensors", prefix: "ema")
    expectSame(try load(folder.path).model, other)
    try model.export(to: folder.path + "/model.safetensors")
    expectSame(try load(folder.path).model, model)
    expectSame(try load(folder.path + "/model.safetensors").model, model)
  }

  @Test func readsDiffusersFolders() throws {
    let folder = try TemporaryFolder()
    let model = try SmallModel.unconditional()
    try model.network.save(folder: folder.path + "/unet")
    try folder.file(
      "scheduler/scheduler_config.json",
      #"{"_class_name": "DDPMScheduler", "beta_schedule": "squaredcos_cap_v2", "mood": 1}"#)
    let (whole, notes) = try load(folder.path)
    #expect(whole.configuration.process.schedule == .cosine)
    #expect(notes.count == 1 && notes[0].hasSuffix("key mood is not known, ignored"))
    let (part, partNotes) = try load(folder.path + "/unet")
    #expect(part.configuration.process == ProcessConfiguration())
    #expect(partNotes.count == 1 && partNotes[0].contains("scheduler_config.json: absent"))
    let pairs = zip(part.network.parameters(), model.network.parameters())
    for (one, other) in pairs { #expect(one.tensor.floats == other.tensor.floats) }
  }

  @Test func refusesASchedulerThatCannotBe() throws {
    let folder = try TemporaryFolder()
    try SmallModel.unconditional().network.save(folder: folder.path)
    try folder.file("scheduler_config.json", #"{"beta_start": 2}"#)
    let error = try #require(throws: PipelineError.self) { try load(folder.path) }
    #expect(
      error.description
        == "\(folder.path)/scheduler_config.json: beta_start: expected a number between 0 and 1, "
        + "found 2.0")
    try folder.file("scheduler_config.json", #"{"beta_schedule": "steep"}"#)
    let other = try #require(throws: PipelineError.self) { try load(folder.path) }
    #expect(other.description.contains("scheduler_config.json: beta_schedule: "))
  }

  @Test func refusesWhatIsNoModel() throws {
    let folder = try TemporaryFolder()
    func message(_ path: String) throws -> String {
      try #require(throws: PipelineError.self) { try load(path) }.description
    }
    #expect(
      try message("/nowhere/model") == "/nowhere/model: no such file or folder; give the "
        + "path of a model")
    #expect(try message(folder.path).contains("expected a diffusers folder"))
    try folder.file("text.safetensors", "this is no checkpoint")
    #expect(
      try message(folder.path + "/text.safetensors").contains("text.safetensors: not a whole"))
    var writer = CheckpointWriter(metadata: [:])
    writer.add("a", Tensor([1.0]))
    try writer.write(to: folder.path + "/foreign.safetensors")
    #expect(try message(folder.path + "/foreign.safetensors").contains("no configuration"))
  }

  @Test func findsTheEmbeddedModelInAnyOfItsPlaces() throws {
    let folder = try TemporaryFolder()
    let binary = folder.path + "/bin/diffusion"
    let error = try #require(throws: PipelineError.self) {
      try EmbeddedModel.path(fromBinary: binary)
    }
    guard case .embeddedModelMissing(let searched) = error else {
      Issue.record("got \(error)")
      return
    }
    #expect(searched.count == 4)
    // From the last place to the first, each goes before those that follow.
    for place in searched.reversed() {
      try folder.file(String(place.dropFirst(folder.path.count + 1)), "model")
      #expect(try EmbeddedModel.path(fromBinary: binary) == place)
    }
    #expect(searched[3] == folder.path + "/share/diffusion/mnist.safetensors")
    #expect(error.description.contains(searched[0]))
  }
}
