# One image for all roles: web server, pipeline, agents. docker-compose.yml says who is who.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 ORCHARD_DATA=/data

RUN useradd --create-home --uid 10001 orchard \
    && install -d -m 700 -o orchard -g orchard /data /agents
WORKDIR /app

COPY constraints.txt requirements.txt requirements-agent.txt requirements-tracing.txt ./
RUN pip install -c constraints.txt -r requirements.txt -r requirements-agent.txt -r requirements-tracing.txt
COPY . .

USER orchard
EXPOSE 8000
ENTRYPOINT ["python"]
CMD ["manage.py", "serve", "--host", "0.0.0.0"]
