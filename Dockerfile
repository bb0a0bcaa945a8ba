# One image for every service of docker-compose.yml; the command says which.
FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv /opt/greenroom
COPY requirements/s3.lock requirements/s3.lock
RUN /opt/greenroom/bin/pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: \
    -r requirements/s3.lock
COPY pyproject.toml README.md LICENSE ./
COPY classifier classifier
COPY moderation moderation
COPY workers workers
RUN /opt/greenroom/bin/pip install --no-cache-dir --no-build-isolation --no-deps .

FROM python:3.13-slim
ENV PATH=/opt/greenroom/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    GREENROOM_HOME=/data \
    GREENROOM_HOST=0.0.0.0 \
    GREENROOM_DEMO=false
RUN useradd --system --uid 10001 --create-home greenroom \
    && mkdir -p /data/models \
    && chown -R greenroom /data
COPY --from=build /opt/greenroom /opt/greenroom
USER greenroom
WORKDIR /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["greenroom"]
CMD ["web"]
